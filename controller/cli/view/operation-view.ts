import {
  type ByteCount,
  type Operation,
  OperationPhase,
  OperationState,
  type Progress,
  WriteStage,
} from "../../../proto/gen/pallet/v1/operation.ts";
import { type FailureView, viewWireFailure } from "./failure-view.ts";
import { toMs, toNumber, toTime } from "./wire-values.ts";

/** What an operation is doing, in words. */
export type OperationPhaseWord =
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
  | "identifying"
  | "unknown";

/** Bytes done of a total; a total of 0 is unknown. */
export interface ByteCountView {
  readonly done: number;
  readonly total: number;
}

/** What one stage of a write has done, as `--json` shows it. */
export interface StageView {
  readonly stage: "compare" | "fetch" | "decompress" | "check" | "write" | "read-back" | "unknown";
  readonly bytes: number;
  /** How long it was busy. */
  readonly busyMs: number;
}

/** The progress of an operation, as `--json` shows it. */
export interface ProgressView {
  readonly phase: OperationPhaseWord;
  readonly read: ByteCountView;
  readonly written: ByteCountView;
  readonly skipped: ByteCountView;
  readonly verified: ByteCountView;
  /** What was compared before anything was fetched. */
  readonly compared: ByteCountView;
  readonly bytesPerSecond: number;
  /** Until the phase ends. */
  readonly etaMs: number | null;
  readonly resumed: number;
  /** What each stage of a write has done; empty for other work. */
  readonly stages: readonly StageView[];
  /** How long the disk has not answered, once that is too long. */
  readonly stalledMs: number | null;
  /** Bytes that did not verify and were written again. */
  readonly rewrittenBytes: number;
}

/** An operation on a node as `--json` shows it. */
export interface OperationView {
  readonly operationId: string;
  readonly kind: string;
  readonly state: "running" | "succeeded" | "failed" | "cancelled" | "unknown";
  readonly progress: ProgressView | null;
  readonly failure: FailureView | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

const phases: Readonly<Record<number, OperationPhaseWord>> = {
  [OperationPhase.OPERATION_PHASE_UNSPECIFIED]: "starting",
  [OperationPhase.OPERATION_PHASE_ERASING]: "erasing",
  [OperationPhase.OPERATION_PHASE_COMPARING]: "comparing",
  [OperationPhase.OPERATION_PHASE_WRITING]: "writing",
  [OperationPhase.OPERATION_PHASE_SYNCING]: "syncing",
  [OperationPhase.OPERATION_PHASE_VERIFYING]: "verifying",
  [OperationPhase.OPERATION_PHASE_CUSTOMISING]: "customising",
  [OperationPhase.OPERATION_PHASE_WRITING_TABLE]: "writing-table",
  [OperationPhase.OPERATION_PHASE_FORMATTING]: "formatting",
  [OperationPhase.OPERATION_PHASE_WIPING]: "wiping",
  [OperationPhase.OPERATION_PHASE_UNMOUNTING]: "unmounting",
  [OperationPhase.OPERATION_PHASE_IDENTIFYING]: "identifying",
};

const stages: Readonly<Record<number, StageView["stage"]>> = {
  [WriteStage.WRITE_STAGE_COMPARE]: "compare",
  [WriteStage.WRITE_STAGE_FETCH]: "fetch",
  [WriteStage.WRITE_STAGE_DECOMPRESS]: "decompress",
  [WriteStage.WRITE_STAGE_CHECK]: "check",
  [WriteStage.WRITE_STAGE_WRITE]: "write",
  [WriteStage.WRITE_STAGE_READ_BACK]: "read-back",
};

const states: Readonly<Record<number, OperationView["state"]>> = {
  [OperationState.OPERATION_STATE_RUNNING]: "running",
  [OperationState.OPERATION_STATE_SUCCEEDED]: "succeeded",
  [OperationState.OPERATION_STATE_FAILED]: "failed",
  [OperationState.OPERATION_STATE_CANCELLED]: "cancelled",
};

const kinds = {
  writeImage: "write-image",
  verifyImage: "verify-image",
  makeFilesystem: "make-filesystem",
  wipe: "wipe",
  unmount: "unmount",
  identify: "identify",
} as const;

function viewByteCount(count: ByteCount | undefined): ByteCountView {
  return { done: toNumber(count?.done ?? 0n), total: toNumber(count?.total ?? 0n) };
}

/** Converts from the wire. */
export function viewProgress(progress: Progress): ProgressView {
  return {
    phase: phases[progress.phase] ?? "unknown",
    read: viewByteCount(progress.read),
    written: viewByteCount(progress.written),
    skipped: viewByteCount(progress.skipped),
    verified: viewByteCount(progress.verified),
    compared: viewByteCount(progress.compared),
    bytesPerSecond: toNumber(progress.bytesPerSecond),
    etaMs: toMs(progress.eta),
    resumed: progress.resumed,
    stages: progress.stages.map(({ stage, bytes, busy }) => ({
      stage: stages[stage] ?? "unknown",
      bytes: toNumber(bytes),
      busyMs: toMs(busy) ?? 0,
    })),
    stalledMs: toMs(progress.stalled),
    rewrittenBytes: toNumber(progress.rewrittenBytes),
  };
}

/** Converts from the wire. */
export function viewOperation(operation: Operation): OperationView {
  const work = operation.spec?.work?.$case;
  return {
    operationId: operation.operationId,
    kind: work === undefined ? "unknown" : kinds[work],
    state: states[operation.state] ?? "unknown",
    progress: operation.progress ? viewProgress(operation.progress) : null,
    failure: viewWireFailure(operation.failure),
    startedAt: toTime(operation.startedAt),
    endedAt: toTime(operation.endedAt),
  };
}
