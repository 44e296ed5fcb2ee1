import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { admitTransfer, type TransferInProgress } from "../../../../../controller/boot/tftp/admit-transfer.ts";

const limits = { maxTransfers: 4, maxTransfersPerClient: 3, firstTimeoutMs: 1000 };
const pi = "10.77.0.11";
const other = "10.77.0.12";
const third = "10.77.0.13";

/** Whose, its milliseconds without progress, and "?" for one that never acknowledged anything. */
type Row = readonly [address: string, stalledMs: number, unproven?: "?"];

const inProgress = (rows: readonly Row[]): readonly TransferInProgress[] =>
  rows.map(([address, stalledMs, unproven]) => ({ address, stalledMs, proven: unproven === undefined }));

describe("whether one more TFTP transfer may begin", () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [title: string, rows: readonly Row[], verdict: string])[] = [
    ["does, where there is none", [], "admitted"],
    ["does, below both limits", [[pi, 0], [other, 0, "?"]], "admitted"],
    ["does not, while its client is busy with as many as it may", [[pi, 10], [pi, 0], [pi, 1999]], `${pi} has 3 transfers in progress; try again later`],
    ["does in place of the one that its client has abandoned", [[pi, 10], [pi, 2000], [pi, 0], [other, 40_000]], "in place of 2000"],
    ["does in place of the one that was abandoned first", [[pi, 9000], [pi, 2000], [pi, 2500]], "in place of 9000"],
    ["does in place of one that never acknowledged, however young, before one that stalled", [[pi, 9000], [pi, 1, "?"], [pi, 0]], "in place of 1"],
    ["does in place of the oldest that never acknowledged", [[other, 0], [other, 3, "?"], [third, 7, "?"], [pi, 9000]], "in place of 7"],
    ["does not, while all are busy, and nobody has two more", [[other, 0], [third, 10], [third, 20], [pi, 30]], "busy with 4 transfers; try again later"],
    ["does in place of anybody's abandoned one", [[other, 0], [other, 10], [other, 44_000], [pi, 30]], "in place of 44000"],
    ["does in place of one of whoever has two more, however lively", [[other, 0], [other, 10], [other, 5], [pi, 30]], "in place of 10"],
  ];
  for (const [title, rows, verdict] of cases)
    it(`it ${title}`, () => {
      const admission = admitTransfer(inProgress(rows), pi, limits);
      const said = !admission.admitted
        ? admission.message
        : admission.givesWay === undefined
          ? "admitted"
          : `in place of ${admission.givesWay.stalledMs}`;
      assert.equal(said, verdict);
    });

  it("ends no transfer that progresses, but of who has most, and never exceeds a limit", () => {
    const session = fc.record({
      address: fc.constantFrom(pi, other, third),
      stalledMs: fc.nat(60_000),
      proven: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 4 }), (sessions: readonly TransferInProgress[]) => {
        const countOf = (address: string, among = sessions): number =>
          among.filter((one) => one.address === address).length;
        fc.pre([pi, other, third].every((address) => countOf(address) <= 3));
        const admission = admitTransfer(sessions, pi, limits);
        if (!admission.admitted) return;
        const { givesWay } = admission;
        const after = sessions.filter((one) => one !== givesWay);
        if (givesWay?.proven && givesWay.stalledMs < 2000)
          assert.ok(countOf(givesWay.address, after) >= countOf(pi, after) + 1);
        assert.ok(after.length < 4);
        assert.ok(countOf(pi, after) < 3);
      }),
    );
  });

  it("keeps out no client that asks, whatever 40 addresses that never acknowledge send before it", () => {
    const flood = Array.from({ length: 256 }, (_, index) => [`10.78.0.${index % 40}`, index, "?"] as const);
    const real = { maxTransfers: 256, maxTransfersPerClient: 8, firstTimeoutMs: 1000 };
    assert.partialDeepStrictEqual(admitTransfer(inProgress(flood), pi, real), {
      admitted: true,
      givesWay: { stalledMs: 255 },
    });
    const lively = flood.map(([address]) => [address, 0] as const);
    assert.ok(admitTransfer(inProgress(lively), pi, real).admitted);
  });
});
