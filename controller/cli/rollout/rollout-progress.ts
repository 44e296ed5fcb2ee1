import type { OperationPhaseWord, ProgressView } from "../view/operation-view.ts";
import type { ReimagePhaseWord, ReimageView, RolloutView } from "../view/rollout-view.ts";

/** A section of a reimage's progress from 0 to 100 percent. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The share of each phase, by the time that it takes on a Raspberry Pi with an average card: writing takes longest,
 * reading back somewhat less, a netboot and a boot some tens of seconds each. Within a phase that counts bytes the bar
 * moves with them; in the others it stays at the phase's start.
 */
const reimageSpans: Readonly<Record<ReimagePhaseWord, Span>> = {
  queued: { from: 0, to: 0 },
  preparing: { from: 0, to: 1 },
  netbooting: { from: 1, to: 8 },
  checking: { from: 8, to: 9 },
  waiting: { from: 9, to: 9 },
  writing: { from: 9, to: 85 },
  rebooting: { from: 85, to: 89 },
  proving: { from: 89, to: 100 },
  proved: { from: 100, to: 100 },
  failed: { from: 0, to: 0 },
  cancelled: { from: 0, to: 0 },
  unknown: { from: 0, to: 0 },
};

/** Of a proved node whose tasks run. */
const tasksSpan: Span = { from: 95, to: 100 };

/** The same for the agent's phases during `writing`. */
const operationSpans: Readonly<Record<OperationPhaseWord, Span>> = {
  starting: { from: 9, to: 9 },
  erasing: { from: 10, to: 10 },
  comparing: { from: 10, to: 18 },
  writing: { from: 18, to: 55 },
  syncing: { from: 55, to: 57 },
  verifying: { from: 57, to: 82 },
  customising: { from: 82, to: 84 },
  "writing-table": { from: 84, to: 85 },
  // The phases below are never part of a reimage.
  formatting: { from: 9, to: 9 },
  wiping: { from: 9, to: 9 },
  unmounting: { from: 9, to: 9 },
  identifying: { from: 9, to: 9 },
  unknown: { from: 9, to: 9 },
};

/**
 * How much of its current phase an operation has done, from 0 to 1; undefined if the phase counts no bytes. Never above
 * 1, whatever is reported.
 */
export function phaseFraction(progress: ProgressView): number | undefined {
  const fraction = (done: number, total: number) =>
    total > 0 && Number.isFinite(done) ? Math.min(1, Math.max(0, done / total)) : undefined;
  const { written, skipped, verified, compared } = progress;
  if (progress.phase === "comparing") return fraction(compared.done, compared.total);
  if (progress.phase === "writing")
    return fraction(written.done + skipped.done, Math.max(written.total, skipped.total));
  if (progress.phase === "verifying") return fraction(verified.done, verified.total);
  if (progress.phase === "wiping" || progress.phase === "formatting") return fraction(written.done, written.total);
  return undefined;
}

function within(span: Span, fraction: number): number {
  return span.from + (span.to - span.from) * fraction;
}

/** A node's progress in percent. A failed or cancelled one stays where its write was last seen. */
export function reimagePercent(reimage: ReimageView): number {
  const { phase, progress } = reimage;
  const stopped = phase === "failed" || phase === "cancelled";
  if (progress !== null && (phase === "writing" || stopped))
    return within(operationSpans[progress.phase], phaseFraction(progress) ?? 0);
  if (isConfiguring(reimage)) {
    const { tasks = 0, succeeded = 0 } = reimage.configuration ?? {};
    return within(tasksSpan, tasks > 0 ? Math.min(1, succeeded / tasks) : 0);
  }
  return reimageSpans[phase].from;
}

/** What is said of a proved node with tasks, by where they stand. */
export const configurationWords: Readonly<Record<NonNullable<ReimageView["configuration"]>["state"], string>> = {
  running: "configuring",
  configured: "configured",
  failed: "tasks failed",
  cancelled: "proved",
  unknown: "proved",
};

/** Whether the tasks of a proved node run, or have to. */
export function isConfiguring({ configuration }: ReimageView): boolean {
  return configuration?.state === "running";
}

/** Whether a node is not what it was to become: its reimage failed, or its tasks. */
export function hasFailed({ phase, configuration }: ReimageView): boolean {
  return phase === "failed" || configuration?.state === "failed";
}

/** What a node is doing, in a word or two: the operation's phase while it writes, otherwise the reimage's. */
export function reimageActivity(reimage: ReimageView): string {
  if (reimage.proof?.kind === "weak") return "proved (weak)";
  if (reimage.configuration !== null) return configurationWords[reimage.configuration.state];
  if (reimage.phase === "waiting") return "waits to write";
  if (reimage.phase !== "writing") return reimage.phase;
  const phase = reimage.progress?.phase ?? "starting";
  if (phase === "starting" || phase === "unknown") return "starting write";
  return phase === "writing-table" ? "writing table" : phase;
}

/** Whether a node's reimage has ended, and its tasks have. */
export function isOver(reimage: ReimageView): boolean {
  if (isConfiguring(reimage)) return false;
  return reimage.phase === "proved" || reimage.phase === "failed" || reimage.phase === "cancelled";
}

/** Whether it is waiting for its turn, to begin or to write. */
export function isWaiting({ phase }: ReimageView): boolean {
  return phase === "queued" || phase === "waiting";
}

/** A whole rollout in numbers. */
export interface RolloutTotals {
  readonly nodes: number;
  readonly proved: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly queued: number;
  /** Ready and waiting for their turn to write. */
  readonly waiting: number;
  readonly running: number;
  /** Mean over the nodes; a failed one counts as complete, so that the total reaches 100 at the end. */
  readonly percent: number;
  /** Sum of what the nodes are comparing, writing or verifying right now. */
  readonly bytesPerSecond: number;
}

/** Adds up a rollout. */
export function totalRollout(rollout: RolloutView): RolloutTotals {
  const count = (phase: ReimagePhaseWord) => rollout.reimages.filter((reimage) => reimage.phase === phase).length;
  const nodes = rollout.reimages.length;
  const percents = rollout.reimages.map((reimage) => (isOver(reimage) ? 100 : reimagePercent(reimage)));
  return {
    nodes,
    proved: rollout.reimages.filter((each) => each.phase === "proved" && isOver(each) && !hasFailed(each)).length,
    failed: rollout.reimages.filter(hasFailed).length,
    cancelled: count("cancelled"),
    queued: count("queued"),
    waiting: count("waiting"),
    running: rollout.reimages.filter((reimage) => !isOver(reimage) && !isWaiting(reimage)).length,
    percent: nodes === 0 ? 0 : percents.reduce((sum, percent) => sum + percent, 0) / nodes,
    bytesPerSecond: rollout.reimages.reduce((sum, reimage) => sum + currentRate(reimage), 0),
  };
}

/** Bytes per second of a node that is moving bytes now, otherwise 0. */
export function currentRate({ phase, progress }: ReimageView): number {
  if (phase !== "writing" || progress === null) return 0;
  const moves = progress.phase === "comparing" || progress.phase === "writing" || progress.phase === "verifying";
  return moves ? progress.bytesPerSecond : 0;
}
