import { verdictWords } from "../../../proto/words/reimage-verdict.ts";
import { printable } from "../render/printable.ts";
import { formatPercent } from "../render/render-bar.ts";
import { formatMoment, formatRate } from "../render/units.ts";
import type { ConfigurationView, ProofView, ReimageView, RolloutView } from "../view/rollout-view.ts";
import { describeCounts } from "./render-rollout-table.ts";
import { configurationWords, reimageActivity, totalRollout } from "./rollout-progress.ts";

function describeNode(reimage: ReimageView): string {
  const { phase, failure, disk, proof, attempts, verdict } = reimage;
  if (phase === "failed" || phase === "cancelled") {
    const why = failure === null ? "" : `: ${printable(failure.message.split("\n")[0] ?? "")}`;
    return `${phase}${verdict === null ? "" : ` (${verdictWords[verdict]})`}${why}`;
  }
  const { configuration } = reimage;
  if (phase === "proved" && configuration !== null) return describeConfiguration(configuration);
  if (phase === "proved") return proof === null ? "proved" : describeProof(proof);
  const device = phase === "writing" && disk !== null ? ` ${printable(disk)}` : "";
  const again = phase === "writing" && attempts > 1 ? ` (attempt ${attempts})` : "";
  return `${reimageActivity(reimage)}${device}${again}`;
}

/** How far the tasks of a proved node are. */
function describeConfiguration({ state, task, tasks, succeeded, failure }: ConfigurationView): string {
  if (state === "running")
    return `configuring: task ${printable(task ?? "")} (${succeeded} of ${tasks} have succeeded)`;
  const why = failure === null ? "" : `: ${printable(failure.message.split("\n")[0] ?? "")}`;
  return `${configurationWords[state]}${why}`;
}

/** What the proof says; a weak one is marked as such. */
function describeProof({ kind, rootDevice, answer }: ProofView): string {
  if (kind === "weak") return `proved (weak: it fetched the image's kernel, and ${printable(answer ?? "answers")})`;
  return `proved: runs from ${printable(rootDevice ?? "an unknown device")}`;
}

/**
 * What changed between two states of a rollout, one line per node whose phase changed, for logs and pipes. Without an
 * earlier state, the phase of every node.
 */
export function renderRolloutChanges(previous: RolloutView | undefined, next: RolloutView, now: number): string[] {
  const before = new Map(previous?.reimages.map((reimage) => [reimage.reimageId, describeNode(reimage)]));
  return next.reimages
    .map((reimage) => ({ reimage, text: describeNode(reimage) }))
    .filter(({ reimage, text }) => before.get(reimage.reimageId) !== text)
    .map(({ reimage, text }) => `${formatMoment(now)} ${printable(reimage.nodeName)}: ${text}`);
}

/** One line about the whole rollout, for logs and pipes. */
export function renderRolloutProgress(rollout: RolloutView, now: number): string {
  const totals = totalRollout(rollout);
  const rate = totals.bytesPerSecond > 0 ? `, ${formatRate(totals.bytesPerSecond)}` : "";
  return `${formatMoment(now)} progress: ${formatPercent(totals.percent)}, ${describeCounts({ ...totals })}${rate}`;
}
