import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLiveness, type Liveness } from "../../../../controller/nodes/liveness.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const id = "b8:27:eb:00:00:01" as NodeId;
const seen = (agentSeenAt?: number): Node => ({
  id,
  name: "rack1",
  accepted: true,
  bootTarget: { kind: "agent" },
  lastSeenAt: 0,
  discoveredAt: 0,
  ...(agentSeenAt !== undefined && { agentSeenAt }),
});
const years = 3 * 365 * 86_400_000;

/** Of a controller that was started at 1000 by a clock that anybody may set, and knows of this node. */
function started(node?: Node) {
  const times = { passedMs: 0, setByMs: 0 };
  const clocks = {
    clock: { now: () => 1000 + times.passedMs + times.setByMs },
    monotonic: { now: () => 500_000 + times.passedMs },
  };
  const liveness: Liveness = createLiveness(node === undefined ? [] : [node], clocks, 10);
  return { times, liveness, silent: () => liveness.newlySilent(() => seen(1000)).length };
}

describe("liveness", () => {
  describe("three heartbeats after the last sign a node is silent, whatever the clock is set to", () => {
    for (const [passedMs, setByMs, isOnline] of [
      [30, 0, true],
      [31, 0, false],
      [1, years, true],
      [30, years, true],
      [31, years, false],
      [1, -years, true],
      [30, -years, true],
      [31, -years, false],
      [31, -31, false],
    ] as const)
      it(`${passedMs} ms later, by a clock that was set by ${setByMs} ms`, () => {
        for (const [from, { liveness, times, silent }] of [
          ["this process", started()],
          ["the one before", started(seen(1000))],
        ] as const) {
          if (from === "this process") liveness.heard(id);
          Object.assign(times, { passedMs, setByMs });
          assert.equal(liveness.isOnline(seen(1000)), isOnline, from);
          assert.equal(silent(), isOnline ? 0 : 1, from);
          assert.equal(silent(), 0, "it is told once");
        }
      });
  });

  describe("what an earlier process noted is as long ago as the clock says at the start", () => {
    for (const [what, agentSeenAt, isOnline] of [
      ["a moment ago", 970, true],
      ["too long ago", 969, false],
      ["just before the clock was set back a little", 1030, true],
      ["in the future: nobody knows when", 3_600_000, false],
      ["never", undefined, false],
    ] as const)
      it(what, () => {
        const { liveness, times, silent } = started(seen(agentSeenAt));
        assert.equal(liveness.isOnline(seen(agentSeenAt)), isOnline);
        times.passedMs = 100;
        assert.equal(silent(), isOnline ? 1 : 0);
      });
  });

  it("knows for how long a node was silent, and that it was, when it is heard again", () => {
    const { liveness, times, silent } = started(seen(990));
    Object.assign(times, { passedMs: 100, setByMs: years });
    assert.equal(silent(), 1);
    assert.equal(liveness.silentForMs(id), 110);
    assert.equal(liveness.heard(id), true);
    assert.equal(liveness.silentForMs(id), 0);
    assert.equal(liveness.heard(id), false);
  });

  it("says nothing of nodes that are booting, or are forgotten", () => {
    const { liveness, times, silent } = started();
    liveness.heard(id);
    liveness.notExpected(id);
    times.passedMs = 100;
    assert.equal(silent(), 0);
    assert.equal(liveness.isOnline(seen(1000)), false);
    liveness.heard(id);
    times.passedMs = 200;
    assert.deepEqual(
      liveness.newlySilent(() => undefined),
      [],
    );
  });
});
