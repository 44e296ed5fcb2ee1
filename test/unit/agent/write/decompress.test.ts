import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { decompress } from "../../../../agent/write/decompress.ts";
import { splitFrames } from "../../../../agent/write/zstd-frames.ts";
import { Failure } from "../../../../proto/failure.ts";

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  return Array.fromAsync(source);
}

async function inflate(...pieces: Uint8Array[]): Promise<Buffer> {
  return Buffer.concat(await collect(decompress(from(pieces), "zstd")));
}

const damaged = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, "image-damaged");
  assert.match(error.message, pattern);
  return true;
};

const noise = randomBytes(300_000);
const zeros = Buffer.alloc(5_000_000);
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe("decompress", () => {
  it("passes on what is not compressed", async () => {
    assert.deepEqual(await collect(decompress(from([noise]), "none")), [noise]);
  });

  it("restores one frame", async () => {
    assert.ok((await inflate(zstdCompressSync(noise))).equals(noise));
  });

  it("restores several frames in one piece, of which Node alone would drop all but the first", async () => {
    const all = Buffer.concat([zstdCompressSync(noise), skippable, zstdCompressSync(zeros), zstdCompressSync(noise)]);
    assert.ok((await inflate(all)).equals(Buffer.concat([noise, zeros, noise])));
  });

  it("restores any frames, however the network cuts them", async () => {
    const frame = fc
      .record({
        content: fc.oneof(
          fc.uint8Array({ maxLength: 3_000 }),
          fc.nat(400_000).map((n) => new Uint8Array(n).fill(n)),
        ),
        checksum: fc.boolean(),
        contentSize: fc.boolean(),
        level: fc.integer({ min: 1, max: 6 }),
        skippable: fc.boolean(),
      })
      .map(({ content, checksum, contentSize, level, skippable: skip }) => ({
        content: Buffer.from(content),
        stored: Buffer.concat([
          zstdCompressSync(content, {
            params: {
              [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
              [constants.ZSTD_c_contentSizeFlag]: contentSize ? 1 : 0,
              [constants.ZSTD_c_compressionLevel]: level,
            },
          }),
          ...(skip ? [skippable] : []),
        ]),
      }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 10 }),
        async (frames, cuts) => {
          const stored = Buffer.concat(frames.map((one) => one.stored));
          const pieces: Buffer[] = [];
          for (let at = 0, n = 0; at < stored.length; n += 1) {
            const length = cuts[n % cuts.length] ?? 1;
            pieces.push(stored.subarray(at, at + length));
            at += length;
          }
          assert.ok((await inflate(...pieces)).equals(Buffer.concat(frames.map((one) => one.content))));
          assert.ok(Buffer.concat(await collect(splitFrames(from(pieces)))).equals(stored));
        },
      ),
      { numRuns: 60 },
    );
  });

  const whole = Buffer.concat([zstdCompressSync(noise), zstdCompressSync(zeros)]);
  const broken: { title: string; stored: Buffer; message: RegExp }[] = [
    { title: "nothing at all", stored: Buffer.alloc(0), message: /damaged/ },
    { title: "an end within a block", stored: whole.subarray(0, 200_000), message: /ends within a zstd frame/ },
    { title: "an end one byte early", stored: whole.subarray(0, -1), message: /ends within a zstd frame/ },
    {
      title: "an end within the second frame's magic number",
      stored: Buffer.concat([zstdCompressSync(noise), zstdCompressSync(zeros).subarray(0, 3)]),
      message: /ends within a zstd frame/,
    },
    {
      title: "something else behind the last frame",
      stored: Buffer.concat([zstdCompressSync(noise), Buffer.from("<html>")]),
      message: /start no zstd frame/,
    },
    { title: "no zstd at all", stored: noise, message: /start no zstd frame/ },
    {
      title: "an altered block",
      stored: Buffer.concat([whole.subarray(0, -30), Buffer.from([255, 255, 255]), whole.subarray(-27)]),
      message: /damaged/,
    },
  ];
  for (const { title, stored, message } of broken) {
    it(`rejects ${title}`, async () => {
      await assert.rejects(inflate(stored), damaged(message));
    });
  }

  it("passes on the error of the source as it is", async () => {
    const failure = new Failure("fetch-failed", "no byte came");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield zstdCompressSync(noise).subarray(0, 1_000);
      throw failure;
    }
    await assert.rejects(collect(decompress(failing(), "zstd")), (error) => error === failure);
  });

  it("asks for no more than a reader takes", async () => {
    const stored = Buffer.concat(Array.from({ length: 100 }, () => zstdCompressSync(noise)));
    let given = 0;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < stored.length; at += 65_536) {
        const piece = stored.subarray(at, at + 65_536);
        given += piece.length;
        yield piece;
      }
    }
    for await (const _ of decompress(counting(), "zstd")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      break;
    }
    assert.ok(given < 3_000_000, `${given} of ${stored.length} bytes were read ahead`);
  });
});
