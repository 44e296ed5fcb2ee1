import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BootContent } from "../../../../controller/boot/boot-content.ts";
import { withServerAddress } from "../../../../controller/boot/with-server-address.ts";
import { findServerSlot, renderServerAddress } from "../../../../controller/boot-tree/server-slot.ts";

const place = "\0pallet_server=000.000.000.000\0";

/** A file that gives at most 7 bytes at a time. */
function content(text: string): BootContent & { released: number } {
  const bytes = Buffer.from(text, "latin1");
  return {
    released: 0,
    sizeBytes: bytes.length,
    async read(target, positionBytes) {
      const piece = bytes.subarray(positionBytes, positionBytes + Math.min(7, target.length));
      target.set(piece);
      return piece.length;
    },
    async release() {
      this.released++;
    },
  };
}

async function textOf(served: BootContent): Promise<string> {
  const bytes = Buffer.alloc(served.sizeBytes);
  for (let at = 0; at < bytes.length; ) at += await served.read(bytes.subarray(at, at + 5), at);
  return bytes.toString("latin1");
}

describe("a U-Boot that is served", () => {
  for (const [title, file, address, expected] of [
    [
      "gets the address, and keeps its size",
      `code${place}more`,
      "10.0.0.1",
      "code\0pallet_server=010.000.000.001\0more",
    ],
    ["gets none where nodes reach us by a name", `code${place}more`, "rack.test", `code${place}more`],
    ["is left alone where it has no place for it", "code", "10.0.0.1", "code"],
    ["is left alone where it has two", `${place}${place}`, "10.0.0.1", `${place}${place}`],
  ] as const)
    it(title, async () => {
      const source = content(file);
      const served = await withServerAddress(source, address);
      assert.equal(served.sizeBytes, file.length);
      assert.equal(await textOf(served), expected);
      await served.release();
      assert.equal(source.released, 1);
    });

  it("is released where it cannot be read", async () => {
    const source = content(place);
    source.read = () => Promise.reject(new Error("EIO"));
    await assert.rejects(withServerAddress(source, "10.0.0.1"), /EIO/);
    assert.equal(source.released, 1);
  });
});

describe("the place of the server's address in a U-Boot", () => {
  it("takes every IPv4 address", () => {
    for (const address of ["0.0.0.0", "10.77.0.1", "255.255.255.255", "192.168.178.20"])
      assert.deepEqual(renderServerAddress(address)?.split(".").map(Number), address.split(".").map(Number));
  });
  it("takes nothing else", () => {
    for (const address of ["", "::1", "10.0.0", "10.0.0.256", "10.0.0.1:69", "a.b.c.d"])
      assert.equal(renderServerAddress(address), undefined);
  });
  it("is its value, not its name", () => {
    const bytes = Buffer.from(`x${place}`, "latin1");
    assert.equal(bytes.toString("latin1", findServerSlot(bytes)).slice(0, 15), "000.000.000.000");
  });
});
