import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { createFrameDecoders, type FrameDecoders } from "../../../../agent/write/frame-decoders.ts";

const CHUNK = 64 * 1024;
/** Half of it noise, so that a frame has literals and matches. */
const chunk = (): Buffer => Buffer.concat([randomBytes(CHUNK / 2), Buffer.alloc(CHUNK / 2, "pallet ")]);

async function decode(decoders: FrameDecoders, frames: Uint8Array, target: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => decoders.decode(frames, target, resolve));
}

describe("frame decoders", () => {
  const decoders = createFrameDecoders(3);
  after(() => decoders.close());

  it("put what frames hold one after the other, and nothing beside it", async () => {
    const chunks = [chunk(), chunk(), chunk().subarray(0, 512)];
    const memory = Buffer.alloc(3 * CHUNK, 0xaa);
    const target = memory.subarray(4096, 4096 + 2 * CHUNK + 512);
    assert.equal(
      await decode(decoders, Buffer.concat(chunks.map((bytes) => zstdCompressSync(bytes))), target),
      undefined,
    );
    assert.ok(target.equals(Buffer.concat(chunks)));
    assert.ok(memory.subarray(0, 4096).every((byte) => byte === 0xaa));
    assert.ok(memory.subarray(4096 + target.length).every((byte) => byte === 0xaa));
  });

  it("decode many more at once than there are of them", async () => {
    const all = Array.from({ length: 300 }, (_, index) => Buffer.alloc(CHUNK, `${index} `));
    const found = await Promise.all(
      all.map(async (bytes) => {
        const target = Buffer.alloc(CHUNK);
        assert.equal(await decode(decoders, zstdCompressSync(bytes), target), undefined);
        return target;
      }),
    );
    assert.ok(found.every((target, index) => target.equals(all[index] ?? Buffer.of())));
  });

  const frame = zstdCompressSync(chunk());
  const sum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
  const summed = zstdCompressSync(chunk(), sum);
  const wrongSum = Buffer.concat([summed.subarray(0, -1), Buffer.of((summed.at(-1) ?? 0) ^ 1)]);
  const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["nothing", Buffer.of(), /yields 0 of 65536 bytes/],
    ["no frame", Buffer.from("no frame at all"), /Unknown frame descriptor/],
    ["a frame that is cut off", frame.subarray(0, 1000), /Src size is incorrect/],
    ["a frame that holds less", zstdCompressSync(chunk().subarray(1)), /yields 65535 of 65536 bytes/],
    [
      "a frame that holds more",
      zstdCompressSync(Buffer.concat([chunk(), Buffer.of(0)])),
      /Destination buffer is too small/,
    ],
    ["one frame too many", Buffer.concat([frame, frame]), /Destination buffer is too small/],
    [
      "bytes behind the frame",
      Buffer.concat([frame, Buffer.from("bytes")]),
      /Unknown frame descriptor|Src size is incorrect/,
    ],
    ["a frame whose own sum is wrong", wrongSum, /checksum/],
  ];
  for (const [name, frames, problem] of refused) {
    it(`say what is wrong with ${name}, and go on`, async () => {
      const target = Buffer.alloc(CHUNK);
      assert.match((await decode(decoders, frames, target)) ?? "nothing", problem);
      assert.equal(await decode(decoders, frame, target), undefined);
    });
  }

  it("never write outside the target, whatever the frames are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: CHUNK + 100 }),
        async (changes, lengthBytes) => {
          const damaged = Buffer.from(frame);
          for (const [at, value] of changes) damaged[at] = value;
          const memory = Buffer.alloc(2 * CHUNK, 0x55);
          await decode(decoders, damaged, memory.subarray(1000, 1000 + lengthBytes));
          assert.ok(memory.subarray(0, 1000).every((byte) => byte === 0x55));
          assert.ok(memory.subarray(1000 + lengthBytes).every((byte) => byte === 0x55));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("end what has not begun when they are closed, and let the rest end by itself", async () => {
    const closing = createFrameDecoders(1);
    const target = Buffer.alloc(CHUNK);
    const [begun, waiting] = [decode(closing, frame, target), decode(closing, frame, Buffer.alloc(CHUNK))];
    closing.close();
    assert.equal(await waiting, "the decoders were closed");
    assert.equal(await begun, undefined);
    assert.equal(await decode(closing, frame, target), "the decoders were closed");
    // Its context was freed when it had ended.
    await promisify(setImmediate)();
  });
});
