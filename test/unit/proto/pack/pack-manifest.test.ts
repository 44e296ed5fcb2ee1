import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../../proto/failure.ts";
import { PackManifest as WireManifest } from "../../../../proto/gen/pallet/v1/pack.ts";
import { type ImageDigest, imageDigestFrom } from "../../../../proto/pack/digest.ts";
import {
  type ChunkKind,
  chooseChunkBytes,
  chunkBytesRange,
  defaultChunkBytes,
  maxChunks,
  maxFrameBytes,
  type PackManifestContent,
  parsePackManifest,
  renderPackManifest,
} from "../../../../proto/pack/pack-manifest.ts";
import { seekTableBytes } from "../../../../proto/pack/seek-table.ts";

const kind = fc.constantFrom<ChunkKind>("data", "zero", "unused");

/** Manifests as imports make them, of few chunks. */
const contents: fc.Arbitrary<PackManifestContent> = fc
  .record({
    chunkBytes: fc.integer({ min: 12, max: 24 }).map((power) => 2 ** power),
    kinds: fc.array(kind, { minLength: 1, maxLength: 40 }),
    lastSectors: fc.integer({ min: 1, max: 8 }),
    imageDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(imageDigestFrom),
    seed: fc.infiniteStream(fc.integer({ min: 1, max: 4096 })),
    byte: fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
  })
  .map(({ chunkBytes, kinds, lastSectors, imageDigest, seed, byte }) => ({
    chunkBytes,
    kinds,
    imageBytes: (kinds.length - 1) * chunkBytes + lastSectors * 512,
    imageDigest,
    frameBytes: kinds.map(() => seed.next().value ?? 1),
    digests: Buffer.concat(kinds.filter((each) => each === "data").map(() => Buffer.alloc(32, byte.next().value))),
  }));

const sample: PackManifestContent = {
  imageBytes: 3 * 4096 + 512,
  imageDigest: "ab".repeat(32) as ImageDigest,
  chunkBytes: 4096,
  kinds: ["data", "zero", "unused", "data"],
  frameBytes: [100, 20, 30, 40],
  digests: Buffer.alloc(64, 7),
};

function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => parsePackManifest(bytes),
    (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.equal(error.reason, "image-damaged");
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("a pack's manifest", () => {
  it("is read as it was made", () => {
    fc.assert(
      fc.property(contents, (content) => {
        const manifest = parsePackManifest(renderPackManifest(content));
        assert.equal(manifest.imageBytes, content.imageBytes);
        assert.equal(manifest.imageDigest, content.imageDigest);
        assert.equal(manifest.chunkBytes, content.chunkBytes);
        assert.equal(manifest.chunkCount, content.kinds.length);
        let offset = 0;
        let frameOffset = 0;
        let digest = 0;
        for (const [chunk, expected] of content.kinds.entries()) {
          assert.equal(manifest.kindOf(chunk), expected);
          assert.equal(manifest.offsetOf(chunk), offset);
          assert.equal(manifest.frameOffsetOf(chunk), frameOffset);
          assert.equal(manifest.frameLengthOf(chunk), content.frameBytes[chunk]);
          offset += manifest.lengthOf(chunk);
          frameOffset += manifest.frameLengthOf(chunk);
          if (expected === "data") {
            assert.deepEqual(Buffer.from(manifest.digestOf(chunk)), content.digests.subarray(digest, digest + 32));
            digest += 32;
          } else assert.throws(() => manifest.digestOf(chunk), RangeError);
        }
        assert.equal(offset, content.imageBytes);
        assert.equal(manifest.frameOffsetOf(manifest.chunkCount), frameOffset);
        assert.equal(manifest.packBytes, frameOffset + seekTableBytes(manifest.chunkCount));
        assert.throws(() => manifest.kindOf(manifest.chunkCount), RangeError);
        assert.throws(() => manifest.kindOf(-1), RangeError);
      }),
    );
  });

  it("is taken whole or refused with what is wrong, whatever it is made of", () => {
    const damage = fc.record({
      content: contents,
      changes: fc.array(fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) }), { maxLength: 4 }),
      cut: fc.nat({ max: 200 }),
      tail: fc.uint8Array({ maxLength: 20 }),
    });
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(damage, fc.uint8Array({ maxLength: 300 })), (input) => {
        const bytes = input instanceof Uint8Array ? input : damaged(input);
        try {
          const manifest = parsePackManifest(bytes);
          // Whatever is read fits together: no range reaches outside the pack or the image.
          let image = 0;
          let pack = 0;
          for (let chunk = 0; chunk < manifest.chunkCount; chunk += 1) {
            assert.equal(manifest.offsetOf(chunk), image);
            assert.equal(manifest.frameOffsetOf(chunk), pack);
            assert.ok(manifest.lengthOf(chunk) > 0 && manifest.frameLengthOf(chunk) > 0);
            if (manifest.kindOf(chunk) === "data") assert.equal(manifest.digestOf(chunk).length, 32);
            image += manifest.lengthOf(chunk);
            pack += manifest.frameLengthOf(chunk);
          }
          assert.equal(image, manifest.imageBytes);
          assert.ok(pack < manifest.packBytes);
        } catch (error) {
          assert.ok(error instanceof Failure, `${error}`);
          assert.equal(error.reason, "image-damaged");
          refused += 1;
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(refused > 50, `only ${refused} of 500 were refused`);
  });

  function damaged({ content, changes, cut, tail }: { content: PackManifestContent } & DamageOf): Uint8Array {
    const bytes = Buffer.concat([renderPackManifest(content), tail]);
    for (const { at, to } of changes) bytes[at % bytes.length] = to;
    return bytes.subarray(0, Math.max(0, bytes.length - (cut > 100 ? cut - 100 : 0)));
  }
  interface DamageOf {
    readonly changes: readonly { readonly at: number; readonly to: number }[];
    readonly cut: number;
    readonly tail: Uint8Array;
  }

  const changed = (change: (wire: WireManifest) => void): Uint8Array => {
    const wire = WireManifest.decode(renderPackManifest(sample));
    change(wire);
    return WireManifest.encode(wire).finish();
  };
  const faults: readonly (readonly [string, (wire: WireManifest) => void, RegExp])[] = [
    ["has another version", (wire) => Object.assign(wire, { version: 2 }), /its version is 2/],
    ["is of no bytes", (wire) => Object.assign(wire, { imageBytes: 0n }), /image_bytes is 0/],
    ["ends within a sector", (wire) => Object.assign(wire, { imageBytes: 12_801n }), /image_bytes is 12801/],
    ["is larger than numbers", (wire) => Object.assign(wire, { imageBytes: 2n ** 60n }), /larger than any disk/],
    ["has half a digest", (wire) => Object.assign(wire, { imageDigest: Buffer.alloc(16) }), /image_digest has 16/],
    ["has odd chunks", (wire) => Object.assign(wire, { chunkBytes: 5000 }), /chunk_bytes is 5000/],
    ["has tiny chunks", (wire) => Object.assign(wire, { chunkBytes: 512 }), /chunk_bytes is 512/],
    ["has too many chunks", (wire) => Object.assign(wire, { imageBytes: 2n ** 40n }), /more than 1048576/],
    ["has a run too much", (wire) => wire.runs.push({ kind: 2, count: 1 }), /more than the 4 chunks/],
    ["has a run too few", (wire) => wire.runs.pop(), /cover 3 of the 4/],
    ["has an empty run", (wire) => wire.runs.unshift({ kind: 3, count: 0 }), /empty or of the same kind/],
    ["has twin runs", (wire) => wire.runs.splice(0, 1, { kind: 2, count: 1 }), /of the same kind as the one before/],
    ["has an unknown kind", (wire) => wire.runs.splice(0, 1, { kind: 9 as never, count: 1 }), /unknown kind 9/],
    ["has a frame too few", (wire) => wire.frameBytes.pop(), /3 frames for 4 chunks/],
    [
      "has an empty frame",
      (wire) => wire.frameBytes.splice(1, 1, 0),
      /the frame of chunk 1 has an impossible length of 0 bytes/,
    ],
    [
      "has a huge frame",
      (wire) => wire.frameBytes.splice(1, 1, 10_000),
      /the frame of chunk 1 has an impossible length of 10000 bytes/,
    ],
    ["has another length", (wire) => Object.assign(wire, { packBytes: 5n }), /pack_bytes is 5, but .* add up to 239/],
    ["has a digest too few", (wire) => Object.assign(wire, { digests: Buffer.alloc(32) }), /2 data chunks need 64/],
  ];
  for (const [title, change, message] of faults) {
    it(`is refused when it ${title}`, () => refuses(changed(change), message));
  }
  it("is refused when it is none", () => refuses(Buffer.from("<html>not found</html>"), /cannot be (read|used)/));
});

describe("chunks", () => {
  it("are 64 KiB, and twice as large as often as an image needs it", () => {
    assert.equal(chooseChunkBytes(512), defaultChunkBytes);
    assert.equal(chooseChunkBytes(maxChunks * defaultChunkBytes), defaultChunkBytes);
    assert.equal(chooseChunkBytes(maxChunks * defaultChunkBytes + 512), 2 * defaultChunkBytes);
    assert.ok(chooseChunkBytes(2 ** 41) <= chunkBytesRange.most);
  });

  it("have room for a frame that could not be compressed", () => {
    for (let bytes = chunkBytesRange.least; bytes <= chunkBytesRange.most; bytes *= 2) {
      // A header of at most 14 bytes, and 3 for each block of 128 KiB.
      assert.ok(maxFrameBytes(bytes) >= bytes + 14 + 3 * Math.ceil(bytes / (128 * 1024)));
    }
  });
});
