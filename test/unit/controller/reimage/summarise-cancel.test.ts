import assert from "node:assert/strict";
import { test } from "node:test";
import type { Phase, ReimageState } from "../../../../controller/reimage/machine/reimage-state.ts";
import { summariseCancel } from "../../../../controller/reimage/summarise-cancel.ts";
import type { CardVerdict } from "../../../../proto/words/reimage-verdict.ts";
import { phases, stateIn } from "./fakes/sample-states.ts";

function cancelled(verdict: CardVerdict, goingBack = false): ReimageState {
  const way = goingBack ? { goingBack: { until: 1, asked: 0 } } : {};
  return { ...stateIn("cancelled"), phase: { ...phases.cancelled, verdict, ...way } as Phase };
}

test("each node is counted once, by what the cancellation did to it", () => {
  const pairs: readonly (readonly [ReimageState, ReimageState])[] = [
    [stateIn("queued"), cancelled("untouched")],
    [stateIn("checking"), cancelled("untouched", true)],
    [stateIn("waiting"), cancelled("untouched", true)],
    [stateIn("checking"), cancelled("untouched")],
    // Off: it has nothing to leave.
    [stateIn("netbooting"), cancelled("untouched", true)],
    [stateIn("writing"), stateIn("cancelling")],
    [stateIn("cancelling"), stateIn("cancelling")],
    [stateIn("netbooting"), cancelled("no-system")],
    [stateIn("proving"), cancelled("unproved")],
    [stateIn("netbooting"), cancelled("unknown")],
    [stateIn("proved"), stateIn("proved")],
    [stateIn("failed"), stateIn("failed")],
    [cancelled("untouched", true), cancelled("untouched", true)],
  ];
  const [before, after] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
  assert.deepEqual(summariseCancel(before, after), {
    neverBegun: 1,
    untouched: 4,
    goingBack: 2,
    stopping: 2,
    noSystem: 1,
    unproved: 1,
    unknown: 1,
    proved: 1,
    endedBefore: 2,
  });
});
