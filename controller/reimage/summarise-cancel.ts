import type { CardVerdict } from "../../proto/words/reimage-verdict.ts";
import { hasEnded, type Phase, type ReimageState } from "./machine/reimage-state.ts";

/** What a cancellation did, in numbers of nodes; see pallet.v1.CancelSummary. */
export interface CancelSummary {
  readonly neverBegun: number;
  readonly untouched: number;
  readonly goingBack: number;
  readonly stopping: number;
  readonly noSystem: number;
  readonly unproved: number;
  readonly unknown: number;
  readonly proved: number;
  readonly endedBefore: number;
}

type Counted = Exclude<keyof CancelSummary, "goingBack">;

const byVerdict: Readonly<Record<CardVerdict, Counted>> = {
  untouched: "untouched",
  "no-system": "noSystem",
  unproved: "unproved",
  unknown: "unknown",
};

/** Counts what became of each node; `before` and `after` the cancellation, in the same order. */
export function summariseCancel(before: readonly ReimageState[], after: readonly ReimageState[]): CancelSummary {
  const kinds = after.map((state, index) => kindOf(before[index]?.phase ?? state.phase, state.phase));
  const count = (kind: Counted): number => kinds.filter((each) => each === kind).length;
  return {
    neverBegun: count("neverBegun"),
    untouched: count("untouched"),
    goingBack: after.filter(({ phase }, index) => leftItsSystem(before[index]?.phase) && goesBack(phase)).length,
    stopping: count("stopping"),
    noSystem: count("noSystem"),
    unproved: count("unproved"),
    unknown: count("unknown"),
    proved: count("proved"),
    endedBefore: count("endedBefore"),
  };
}

function kindOf(before: Phase, after: Phase): Counted {
  if (before.name === "proved") return "proved";
  if (hasEnded(before)) return "endedBefore";
  if (before.name === "queued") return "neverBegun";
  if (after.name === "failed" || after.name === "cancelled") return byVerdict[after.verdict ?? "unknown"];
  return "stopping";
}

/** A node that is off, or has not come yet, has nothing to leave. */
function leftItsSystem(phase: Phase | undefined): boolean {
  if (phase === undefined || hasEnded(phase) || phase.name === "queued") return false;
  return phase.name !== "netbooting" || phase.booting || phase.rebootAskedOf !== undefined;
}

function goesBack(phase: Phase): boolean {
  return (phase.name === "failed" || phase.name === "cancelled") && phase.goingBack !== undefined;
}
