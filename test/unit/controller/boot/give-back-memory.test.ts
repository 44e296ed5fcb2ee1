import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { giveBackMemory } from "../../../../controller/boot/give-back-memory.ts";

describe("a response that gives memory back", () => {
  it("sends every byte as it was, then frees whole buffers, and leaves views of larger ones alone", async () => {
    const whole = Array.from({ length: 40 }, (_, index) => Buffer.allocUnsafeSlow(64 * 1024).fill(index));
    const view = Buffer.alloc(8192, 77).subarray(100, 4196);
    const expected = Buffer.concat([...whole, view, Buffer.from("text")]);
    const written: Promise<void>[] = [];
    const server = createServer((_request, response) => {
      giveBackMemory(response);
      for (const piece of [...whole, view, "text"]) {
        const { promise, resolve } = Promise.withResolvers<void>();
        written.push(promise);
        response.write(piece, () => resolve());
      }
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      assert.ok(expected.equals(Buffer.from(await answer.arrayBuffer())));
      await Promise.all(written);
      assert.deepEqual(new Set(whole.map(({ byteLength }) => byteLength)), new Set([0]));
      assert.ok(view.equals(Buffer.alloc(4096, 77)));
    } finally {
      server.close();
    }
  });
});
