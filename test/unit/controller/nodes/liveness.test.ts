import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLiveness } from "../../../../controller/nodes/liveness.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

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

describe("liveness", () => {
  it("is online up to three heartbeats after the last sign", () => {
    const clock = createManualClock(0);
    const liveness = createLiveness([], clock, 10);
    clock.advance(30);
    assert.equal(liveness.isOnline(seen(0)), true);
    clock.advance(1);
    assert.equal(liveness.isOnline(seen(0)), false);
    assert.equal(liveness.isOnline(seen()), false);
  });

  it("takes a sign of life from the future, noted before the clock was set back, for none", () => {
    const clock = createManualClock(0);
    const liveness = createLiveness([], clock, 10);
    assert.equal(liveness.isOnline(seen(30)), true);
    assert.equal(liveness.isOnline(seen(3_600_000)), false);
  });

  it("declares a node silent once, also one from before a restart, and knows that when it is heard again", () => {
    const clock = createManualClock(0);
    const liveness = createLiveness([seen(0)], clock, 10);
    assert.deepEqual(
      liveness.newlySilent(() => seen(0)),
      [],
    );
    clock.advance(31);
    assert.deepEqual(
      liveness.newlySilent(() => seen(0)),
      [seen(0)],
    );
    assert.deepEqual(
      liveness.newlySilent(() => seen(0)),
      [],
    );
    assert.equal(liveness.heard(id), true);
    assert.equal(liveness.heard(id), false);
  });

  it("says nothing of nodes that were silent before a restart, are booting, or are forgotten", () => {
    const clock = createManualClock(100);
    const liveness = createLiveness([seen(0)], clock, 10);
    assert.deepEqual(
      liveness.newlySilent(() => seen(0)),
      [],
    );
    liveness.heard(id);
    liveness.notExpected(id);
    assert.deepEqual(
      liveness.newlySilent(() => seen(0)),
      [],
    );
    liveness.heard(id);
    assert.deepEqual(
      liveness.newlySilent(() => undefined),
      [],
    );
  });
});
