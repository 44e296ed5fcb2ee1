import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { planRuns } from "../../../../agent/write/plan-runs.ts";

const chunks = (text: string): Uint8Array => Uint8Array.from(text, (letter) => (letter === "#" ? 1 : 0));

describe("planRuns", () => {
  const table: { chunks: string; perRun: number; runs: [first: number, count: number][] }[] = [
    { chunks: "", perRun: 4, runs: [] },
    { chunks: "....", perRun: 4, runs: [] },
    { chunks: "####", perRun: 4, runs: [[0, 4]] },
    {
      chunks: "#.##",
      perRun: 4,
      runs: [
        [0, 1],
        [2, 2],
      ],
    },
    {
      chunks: ".######.",
      perRun: 4,
      runs: [
        [1, 3],
        [4, 3],
      ],
    },
    {
      chunks: "...##...",
      perRun: 4,
      runs: [
        [3, 1],
        [4, 1],
      ],
    },
    {
      chunks: "###",
      perRun: 1,
      runs: [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
    },
    { chunks: "..........#", perRun: 4, runs: [[10, 1]] },
  ];
  for (const { chunks: text, perRun, runs } of table) {
    it(`makes ${runs.length} runs of at most ${perRun} of "${text}"`, () => {
      assert.deepEqual(
        planRuns(chunks(text), perRun).map(({ first, count }) => [first, count]),
        runs,
      );
    });
  }

  it("covers exactly the chunks, in order, and never reaches over a multiple of the length", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.integer({ min: 1, max: 16 }), (wanted, perRun) => {
        const covered = wanted.map(() => false);
        let behind = 0;
        for (const { first, count } of planRuns(Uint8Array.from(wanted, Number), perRun)) {
          assert.ok(first >= behind && count >= 1);
          assert.equal(Math.floor(first / perRun), Math.floor((first + count - 1) / perRun));
          covered.fill(true, first, first + count);
          behind = first + count;
        }
        assert.deepEqual(covered, wanted);
      }),
    );
  });
});
