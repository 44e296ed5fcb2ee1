import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blake3 } from "../../../../proto/pack/blake3.ts";

/** Of the official test_vectors.json: input bytes count up to 250 and start again; the first 32 bytes of "hash". */
const vectors: readonly (readonly [number, string])[] = [
  [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
  [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
  [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
  [31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"],
];

describe("blake3", () => {
  for (const [length, digest] of vectors) {
    it(`of ${length} bytes is that of the official test vectors`, () => {
      const input = Buffer.from(Array.from({ length }, (_, index) => index % 251));
      assert.equal(blake3(input).toString("hex"), digest);
    });
  }

  it("digests a part of a buffer as that part alone", () => {
    const part = Buffer.from("0123456789").subarray(3, 6);
    assert.deepEqual(blake3(part), blake3(Buffer.from("345")));
  });
});
