import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blake3 } from "../../../../proto/pack/blake3.ts";

/** Input of the official test vectors (BLAKE3-team/BLAKE3, test_vectors/test_vectors.json): 0, 1, …, 250, 0, 1, …. */
const input = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, index) => index % 251);

describe("blake3", () => {
  const vectors: readonly [number, string][] = [
    [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
    [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
    [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
    [1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"],
    [31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"],
  ];
  for (const [bytes, expected] of vectors) {
    it(`is that of the test vectors for ${bytes} bytes`, () => {
      assert.equal(blake3(input(bytes)).toString("hex"), expected);
    });
  }

  it("takes a view for what it shows, not for what lies under it", () => {
    const under = Buffer.alloc(4096, 1);
    under.set(input(1024), 512);
    assert.deepEqual(blake3(under.subarray(512, 512 + 1024)), blake3(input(1024)));
  });
});
