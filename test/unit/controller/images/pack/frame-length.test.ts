import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createFrameCompressors } from "../../../../../controller/images/pack/frame-compressors.ts";
import { frameLength } from "../../../../../controller/images/pack/frame-length.ts";

describe("the length of a zstd frame", () => {
  const contents = {
    nothing: Buffer.alloc(0),
    "one byte": Buffer.from("x"),
    "zeros, a run-length block": Buffer.alloc(300_000),
    "noise in several blocks": randomBytes(300_000),
    "text that compresses": Buffer.from("all work and no play ".repeat(5000)),
  };
  for (const [name, content] of Object.entries(contents)) {
    for (const checksum of [0, 1])
      it(`is found for ${name}${checksum === 1 ? ", with a checksum" : ""}`, () => {
        const frame = zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: checksum } });
        assert.equal(frameLength(frame), frame.length);
        assert.equal(frameLength(Buffer.concat([frame, frame])), frame.length);
      });
  }

  it("is not invented when the bytes end before the frame does", () => {
    const frame = zstdCompressSync(randomBytes(1000));
    assert.throws(() => frameLength(frame.subarray(0, frame.length - 1)), RangeError);
    assert.throws(() => frameLength(frame.subarray(0, 5)), RangeError);
  });
});

describe("frame compressors", () => {
  it("give exactly one frame for each piece, also where one ends with the stream's buffer", async () => {
    const compressors = createFrameCompressors(64);
    try {
      // The stream's buffer of 1088 bytes is full exactly at the end of many of these.
      for (let index = 0; index < 4000; index += 1) {
        const piece = randomBytes(1 + (index % 64));
        const frame = await compressors.compress(piece);
        assert.equal(frameLength(frame), frame.length, `piece ${index}`);
        assert.deepEqual(zstdDecompressSync(frame), piece);
      }
    } finally {
      compressors.close();
    }
  });
});
