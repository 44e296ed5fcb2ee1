import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { planComparison, selectSpread, selectWitnesses } from "../../../../agent/write/plan-comparison.ts";

const all = (count: number) => new Uint8Array(count).fill(1);
const count = (chunks: Uint8Array) => chunks.reduce((sum, chosen) => sum + chosen, 0);

describe("selectSpread", () => {
  it("takes as many as it may of those there are, evenly", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), fc.nat(64), (given, most) => {
        const chunks = Uint8Array.from(given, Number);
        const sample = selectSpread(chunks, most);
        assert.equal(count(sample), Math.min(most, count(chunks)));
        assert.ok(sample.every((chosen, chunk) => chosen <= (chunks[chunk] ?? 0)));
        // No stretch of chunks without a sample is longer than two shares.
        const share = count(chunks) / Math.max(1, count(sample));
        let since = 0;
        for (const [chunk, chosen] of sample.entries()) {
          since = chosen === 1 ? 0 : since + (chunks[chunk] ?? 0);
          if (most > 0) assert.ok(since <= 2 * share + 1);
        }
      }),
    );
  });
});

describe("planComparison", () => {
  // 64 samples over 640 chunks stand for 4 parts of 160.
  const samples = (equal: (index: number) => boolean) =>
    Array.from({ length: 64 }, (_, index) => ({ chunk: 5 + index * 10, equal: equal(index) }));
  const table: { title: string; equal: (index: number) => boolean; compared: number }[] = [
    { title: "nothing of a fresh disk", equal: () => false, compared: 0 },
    { title: "everything of a disk with the image", equal: () => true, compared: 640 },
    { title: "everything when a sample of each part is there", equal: (index) => index % 16 === 7, compared: 640 },
    { title: "only the part where an early interruption was", equal: (index) => index < 3, compared: 165 },
    { title: "the last part to its end", equal: (index) => index === 63, compared: 155 },
  ];
  for (const { title, equal, compared } of table) {
    it(`compares ${title}`, () => assert.equal(count(planComparison(all(640), samples(equal))), compared));
  }

  it("compares everything when there was nothing to sample, and never what is not to be", () => {
    assert.equal(count(planComparison(all(10), [])), 10);
    const some = Uint8Array.from({ length: 640 }, (_, chunk) => chunk % 2);
    assert.deepEqual(
      planComparison(
        some,
        samples(() => true),
      ),
      some,
    );
  });
});

describe("selectWitnesses", () => {
  const table: { written: number; equal: number; witnesses: number }[] = [
    { written: 0, equal: 1_000, witnesses: 0 },
    { written: 1, equal: 1_000, witnesses: 256 },
    { written: 1, equal: 100, witnesses: 100 },
    { written: 600, equal: 1_000, witnesses: 600 },
    { written: 1_000, equal: 0, witnesses: 0 },
  ];
  for (const { written, equal, witnesses } of table) {
    it(`looks again at ${witnesses} of ${equal} chunks that were left when ${written} were written`, () => {
      assert.equal(count(selectWitnesses(all(equal), written)), witnesses);
    });
  }
});
