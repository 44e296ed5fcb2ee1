import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { maxFrameBytes } from "../../../../proto/pack/pack-manifest.ts";
import {
  createFrameCompressors,
  createFrameDecompressors,
  type FrameDecompressors,
} from "../../../../proto/pack/zstd-frames.ts";

const chunkBytes = 64 * 1024;
/** Half of it noise, so that a frame has literals and matches. */
const chunk = (): Buffer => Buffer.concat([randomBytes(chunkBytes / 2), Buffer.alloc(chunkBytes / 2, "pallet ")]);

/** What is wrong with the frames, if anything. */
function decode(
  decompressors: FrameDecompressors,
  frames: Uint8Array,
  target: Uint8Array,
): Promise<string | undefined> {
  return decompressors.decompress(frames, target).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

describe("frame decompressors", () => {
  const decompressors = createFrameDecompressors(3);
  after(() => decompressors.close());

  it("put what frames hold one after the other, and nothing beside it", async () => {
    const chunks = [chunk(), chunk(), chunk().subarray(0, 512)];
    const memory = Buffer.alloc(3 * chunkBytes, 0xaa);
    const target = memory.subarray(4096, 4096 + 2 * chunkBytes + 512);
    assert.equal(
      await decode(decompressors, Buffer.concat(chunks.map((bytes) => zstdCompressSync(bytes))), target),
      undefined,
    );
    assert.ok(target.equals(Buffer.concat(chunks)));
    assert.ok(memory.subarray(0, 4096).every((byte) => byte === 0xaa));
    assert.ok(memory.subarray(4096 + target.length).every((byte) => byte === 0xaa));
  });

  it("decompress many more at once than there are of them", async () => {
    const all = Array.from({ length: 300 }, (_, index) => Buffer.alloc(chunkBytes, `${index} `));
    const found = await Promise.all(
      all.map(async (bytes) => {
        const target = Buffer.alloc(chunkBytes);
        assert.equal(await decode(decompressors, zstdCompressSync(bytes), target), undefined);
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
    ["nothing", Buffer.of(), /decompresses to 0 of 65536 bytes/],
    ["no frame", Buffer.from("no frame at all"), /Unknown frame descriptor/],
    ["a frame that is cut off", frame.subarray(0, 1000), /Src size is incorrect/],
    ["a frame that holds less", zstdCompressSync(chunk().subarray(1)), /decompresses to 65535 of 65536 bytes/],
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
      const target = Buffer.alloc(chunkBytes);
      assert.match((await decode(decompressors, frames, target)) ?? "nothing", problem);
      assert.equal(await decode(decompressors, frame, target), undefined);
    });
  }

  it("never write outside the target, whatever the frames are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: chunkBytes + 100 }),
        async (changes, lengthBytes) => {
          const damaged = Buffer.from(frame);
          for (const [at, value] of changes) damaged[at] = value;
          const memory = Buffer.alloc(2 * chunkBytes, 0x55);
          await decode(decompressors, damaged, memory.subarray(1000, 1000 + lengthBytes));
          assert.ok(memory.subarray(0, 1000).every((byte) => byte === 0x55));
          assert.ok(memory.subarray(1000 + lengthBytes).every((byte) => byte === 0x55));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("end what has not begun when they are closed, and let the rest end by itself", async () => {
    const closing = createFrameDecompressors(1);
    const target = Buffer.alloc(chunkBytes);
    const [begun, waiting] = [decode(closing, frame, target), decode(closing, frame, Buffer.alloc(chunkBytes))];
    closing.close();
    assert.equal(await waiting, "it was closed");
    assert.equal(await begun, undefined);
    assert.equal(await decode(closing, frame, target), "it was closed");
    // Its context was freed when it had ended.
    await promisify(setImmediate)();
  });
});

describe("frame compressors", () => {
  const compressors = createFrameCompressors(2, 6);
  after(() => compressors.close());
  const compress = async (bytes: Uint8Array): Promise<Buffer> => {
    const target = Buffer.alloc(maxFrameBytes(bytes.length));
    return target.subarray(0, await compressors.compress(bytes, target));
  };

  it("give each piece one frame of its own, in whatever order they are done", async () => {
    const pieces = Array.from({ length: 300 }, (_, index) =>
      index % 3 === 0 ? Buffer.alloc(4096, index) : randomBytes(1 + ((index * 37) % 4096)),
    );
    const frames = await Promise.all(pieces.map(compress));
    for (const [index, frame] of frames.entries()) assert.ok(zstdDecompressSync(frame).equals(pieces[index] ?? frame));
  });

  it("give one exact frame for every length, noise and nothing but zeros, with the length in its header", async () => {
    for (let length = 1; length < 2000; length += 1) {
      for (const piece of [randomBytes(length), Buffer.alloc(length)]) {
        const frame = await compress(piece);
        assert.ok(zstdDecompressSync(frame).equals(piece));
        // Decompressing in one call needs a target of the frame's content only, so a second frame would not fit.
        const decompressors = createFrameDecompressors(1);
        assert.equal(await decode(decompressors, frame, Buffer.alloc(length)), undefined);
        decompressors.close();
      }
    }
  });

  it("refuse a target without room, and go on", async () => {
    await assert.rejects(compressors.compress(randomBytes(1000), Buffer.alloc(100)), /Destination buffer is too small/);
    assert.ok(zstdDecompressSync(await compress(Buffer.from("x"))).equals(Buffer.from("x")));
  });

  it("refuse what has not begun when they are closed, and let the rest end by itself", async () => {
    const closing = createFrameCompressors(1, 6);
    const target = () => Buffer.alloc(maxFrameBytes(chunkBytes));
    const [begun, waiting] = [closing.compress(chunk(), target()), closing.compress(chunk(), target())];
    closing.close();
    await assert.rejects(waiting, /it was closed/);
    assert.ok((await begun) > chunkBytes / 2);
  });
});
