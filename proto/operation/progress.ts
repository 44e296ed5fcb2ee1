/** What an operation is doing right now; see pallet.v1.OperationPhase. */
export type OperationPhase =
  | "starting"
  | "erasing"
  | "comparing"
  | "writing"
  | "syncing"
  | "verifying"
  | "customising"
  | "writing-table"
  | "formatting"
  | "wiping"
  | "unmounting"
  | "identifying";

/** Bytes done of a total; a total of 0 is unknown. */
export interface ByteCount {
  readonly done: number;
  readonly total: number;
}

/** The parts of writing or verifying an image that work beside each other, in their order; see pallet.v1.WriteStage. */
export const writeStages = ["compare", "fetch", "decompress", "check", "write", "read-back"] as const;
export type WriteStage = (typeof writeStages)[number];

/** What one stage has done; see pallet.v1.StageProgress. */
export interface StageProgress {
  readonly stage: WriteStage;
  readonly bytes: number;
  /** How long it had at least one piece of work in progress. */
  readonly busyMs: number;
}

/** The progress of an operation; see pallet.v1.Progress. Plain data, which the controller's journal keeps as JSON. */
export interface Progress {
  readonly phase: OperationPhase;
  /** Stored (compressed) bytes fetched from the source. */
  readonly read: ByteCount;
  readonly written: ByteCount;
  readonly skipped: ByteCount;
  readonly verified: ByteCount;
  readonly bytesPerSecond: number;
  /** Until the phase ends. */
  readonly etaMs?: number;
  /** How often a broken connection to the source was resumed. */
  readonly resumed: number;
  /** In the order of `writeStages`; those only that have begun. */
  readonly stages: readonly StageProgress[];
  /** For how long the oldest request to the disk has been waiting; absent unless that is too long. Whole seconds. */
  readonly stalledMs?: number;
  /** Image bytes that were read back wrong and written again. */
  readonly rewrittenBytes: number;
  /** What was compared before anything was fetched. */
  readonly compared: ByteCount;
}

/** What is counted as bytes done of a total, in the order in which it is shown. */
export const byteCounters = [
  "read",
  "written",
  "skipped",
  "verified",
  "compared",
] as const satisfies readonly (keyof Progress)[];
export type ByteCounter = (typeof byteCounters)[number];

/** One value for each of them. */
export function byCounter<Value>(make: (counter: ByteCounter) => Value): Record<ByteCounter, Value> {
  return Object.fromEntries(byteCounters.map((counter) => [counter, make(counter)])) as Record<ByteCounter, Value>;
}

/** The progress of an operation that has done nothing yet. */
export const noProgress: Progress = {
  phase: "starting",
  ...byCounter(() => ({ done: 0, total: 0 })),
  bytesPerSecond: 0,
  resumed: 0,
  stages: [],
  rewrittenBytes: 0,
};
