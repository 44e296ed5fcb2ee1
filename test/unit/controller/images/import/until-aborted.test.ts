import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { untilAborted } from "../../../../../controller/images/import/until-aborted.ts";

const MiB = 1024 * 1024;

async function* chunks(count: number): AsyncGenerator<Buffer> {
  for (let number = 0; number < count; number++) {
    await turn();
    yield Buffer.alloc(MiB, number);
  }
}

async function* silence(): AsyncGenerator<Buffer> {
  await new Promise(() => {});
  yield Buffer.alloc(0);
}

describe("untilAborted", () => {
  it("passes everything on and holds none of it", async () => {
    const before = process.memoryUsage().arrayBuffers;
    let bytes = 0;
    let most = 0;
    for await (const chunk of untilAborted(chunks(512), new AbortController().signal)) {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    assert.equal(bytes, 512 * MiB);
    assert.ok(most < 256 * MiB, `${Math.round(most / MiB)} MiB were held at once`);
  });

  it("throws the reason at once while the source is silent", async () => {
    const abort = new AbortController();
    const next = untilAborted(silence(), abort.signal).next();
    abort.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
  });

  it("throws the reason when it came before the first item, and the source's own error as it is", async () => {
    await assert.rejects(untilAborted(chunks(1), AbortSignal.abort(new Error("enough"))).next(), /enough/);
    const broken = (async function* () {
      yield Buffer.alloc(1);
      throw new Error("broken");
    })();
    const reading = untilAborted(broken, new AbortController().signal);
    await reading.next();
    await assert.rejects(reading.next(), /broken/);
  });
});
