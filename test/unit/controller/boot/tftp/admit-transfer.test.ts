import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { admitTransfer, type TransferInProgress } from "../../../../../controller/boot/tftp/admit-transfer.ts";

const limits = { maxTransfers: 4, maxTransfersPerClient: 2, firstTimeoutMs: 1000 };
const pi = "10.77.0.11";
const other = "10.77.0.12";

describe("whether one more TFTP transfer may begin", () => {
  const cases: readonly (readonly [title: string, inProgress: readonly [string, number][], verdict: string])[] = [
    ["does, where there is none", [], "admitted"],
    ["does, below both limits", [[pi, 0], [other, 0]], "admitted"], // biome-ignore format: one line
    ["does not, while its client is busy with as many as it may", [[pi, 10], [pi, 1999]], `${pi} has 2 transfers in progress; try again later`], // biome-ignore format: one line
    ["does in place of the one that its client has abandoned", [[pi, 10], [pi, 2000], [other, 40_000]], "in place of 2000"], // biome-ignore format: one line
    ["does in place of the one that was abandoned first", [[pi, 9000], [pi, 2000]], "in place of 9000"], // biome-ignore format: one line
    ["does not, while all are busy", [[other, 0], [other, 10], [other, 20], [pi, 30]], "busy with 4 transfers; try again later"], // biome-ignore format: one line
    ["does in place of anybody's abandoned one", [[other, 0], [other, 10], [other, 44_000], [pi, 30]], "in place of 44000"], // biome-ignore format: one line
  ];
  for (const [title, inProgress, verdict] of cases)
    it(`it ${title}`, () => {
      const sessions = inProgress.map(([address, silentMs]) => ({ address, silentMs }));
      const admission = admitTransfer(sessions, pi, limits);
      const said = !admission.admitted
        ? admission.message
        : admission.givesWay === undefined
          ? "admitted"
          : `in place of ${admission.givesWay.silentMs}`;
      assert.equal(said, verdict);
    });

  it("never ends a transfer whose client speaks, and never exceeds a limit", () => {
    const session = fc.record({ address: fc.constantFrom(pi, other), silentMs: fc.nat(60_000) });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 4 }), (sessions: readonly TransferInProgress[]) => {
        fc.pre([pi, other].every((address) => sessions.filter((one) => one.address === address).length <= 2));
        const admission = admitTransfer(sessions, pi, limits);
        if (!admission.admitted) return;
        const after = sessions.filter((one) => one !== admission.givesWay);
        assert.ok((admission.givesWay?.silentMs ?? 2000) >= 2000);
        assert.ok(after.length < 4);
        assert.ok(after.filter(({ address }) => address === pi).length < 2);
      }),
    );
  });
});
