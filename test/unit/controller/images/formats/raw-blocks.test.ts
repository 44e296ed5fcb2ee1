import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { rawBlockBytes } from "../../../../../controller/images/formats/raw-blocks.ts";
import { rawBlocksOf } from "./raw-blocks-of.ts";

const image = Buffer.alloc(4 * rawBlockBytes + 512);
image.fill("data", rawBlockBytes + 300_000, rawBlockBytes + 300_100);
image.fill("more", 3 * rawBlockBytes, 3 * rawBlockBytes + 4);

describe("the blocks of a raw image", () => {
  for (const pieceBytes of [512, 4096, 64 * 1024]) {
    const blocks = rawBlocksOf(image, pieceBytes);

    it(`are known to be zero where all of them is, taken in by ${pieceBytes} bytes`, () => {
      const zero = [0, 1, 2, 3, 4].filter((block) => blocks.isZero(block * rawBlockBytes, (block + 1) * rawBlockBytes));
      assert.deepEqual(zero, [0, 2, 4]);
      assert.ok(blocks.isZero(100, 600) && blocks.isZero(2 * rawBlockBytes + 1, 3 * rawBlockBytes));
      assert.ok(!blocks.isZero(0, rawBlockBytes + 1) && !blocks.isZero(rawBlockBytes - 1, 3 * rawBlockBytes));
      assert.ok(blocks.isZero(rawBlockBytes, rawBlockBytes), "nothing is zero");
    });

    it(`are found unchanged, and changed where one bit is another, taken in by ${pieceBytes} bytes`, () => {
      assert.equal(blocks.firstChanged(0, image), undefined);
      assert.equal(blocks.firstChanged(3 * rawBlockBytes, image.subarray(3 * rawBlockBytes)), undefined);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: image.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
          const block = Math.floor(at / rawBlockBytes) * rawBlockBytes;
          const found = Buffer.from(image.subarray(block, block + rawBlockBytes));
          found[at - block] = (found[at - block] ?? 0) ^ (1 << bit);
          assert.equal(blocks.firstChanged(block, found), block);
        }),
        { numRuns: 30 },
      );
    });
  }

  it("are not known beyond the end of the image", () => {
    const blocks = rawBlocksOf(Buffer.alloc(512));
    assert.ok(blocks.isZero(0, 512));
    assert.ok(!blocks.isZero(0, 2 * rawBlockBytes));
  });
});
