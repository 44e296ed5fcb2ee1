import type { CancelSummary } from "../../../proto/gen/pallet/v1/controller.ts";
import { formatCount } from "../render/units.ts";

/** What a cancellation did, one line for each kind of node that there was. */
export function renderCancel(summary: CancelSummary): string[] {
  const { neverBegun, untouched, goingBack, stopping, noSystem, unproved, unknown, proved, endedBefore } = summary;
  const back =
    goingBack === 0 ? "" : `; ${goingBack === untouched ? "all" : goingBack} of them go back into their systems`;
  const lines: readonly (readonly [number, string])[] = [
    [neverBegun, "not begun, left as before"],
    [untouched, `untouched, with the boot target as before${back}`],
    [stopping, "writing: the write is being stopped, and what the card holds then is told when it has"],
    [noSystem, "between two writes: the card has no system, and the boot target is agent"],
    [unproved, "written but not proved yet: the card holds the image, and the boot target is agent"],
    [unknown, "after a lost write: unknown what the card holds, and the boot target is agent"],
    [proved, "proved already, and kept"],
    [endedBefore, "failed or cancelled before"],
  ];
  return lines.filter(([count]) => count > 0).map(([count, words]) => `  ${formatCount(count, "node")} ${words}`);
}
