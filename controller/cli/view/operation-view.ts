import type * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import type { OperationState } from "../../../proto/operation/operation.ts";
import { operationStates } from "../../../proto/operation/operation-codec.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import type { OperationPhase, Progress, StageProgress, WriteStage } from "../../../proto/operation/progress.ts";
import { byCounter } from "../../../proto/operation/progress.ts";
import { operationPhases, progressFromWire, stageFromWire } from "../../../proto/operation/progress-codec.ts";
import { type FailureView, viewWireFailure } from "./failure-view.ts";
import type { Shown } from "./shown.ts";
import { toTime } from "./wire-values.ts";

/** What an operation is doing; "unknown" is what only a newer controller has a word for. */
export type OperationPhaseWord = OperationPhase | "unknown";

/** What one stage of a write has done, as `--json` shows it. */
export type StageView = Omit<StageProgress, "stage"> & { readonly stage: WriteStage | "unknown" };

/** The progress of an operation, as `--json` shows it. */
export interface ProgressView extends Shown<Omit<Progress, "phase" | "stages">> {
  readonly phase: OperationPhaseWord;
  /** Empty for work that has none. */
  readonly stages: readonly StageView[];
}

/** An operation on a node as `--json` shows it. */
export interface OperationView {
  readonly operationId: string;
  readonly kind: OperationSpec["kind"] | "unknown";
  readonly state: OperationState | "unknown";
  readonly progress: ProgressView | null;
  readonly failure: FailureView | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

const kinds = {
  writeImage: "write-image",
  verifyImage: "verify-image",
  makeFilesystem: "make-filesystem",
  wipe: "wipe",
  unmount: "unmount",
  identify: "identify",
} as const;

/** Converts from the wire. */
export function viewProgress(travelled: wire.Progress): ProgressView {
  const progress = progressFromWire(travelled);
  return {
    phase: operationPhases.fromWire(travelled.phase) ?? "unknown",
    ...byCounter((counter) => progress[counter]),
    bytesPerSecond: progress.bytesPerSecond,
    etaMs: progress.etaMs ?? null,
    resumed: progress.resumed,
    stages: travelled.stages.map(stageFromWire).map((each) => ({ ...each, stage: each.stage ?? "unknown" })),
    stalledMs: progress.stalledMs ?? null,
    rewrittenBytes: progress.rewrittenBytes,
  };
}

/** Converts from the wire. */
export function viewOperation(operation: wire.Operation): OperationView {
  const work = operation.spec?.work?.$case;
  return {
    operationId: operation.operationId,
    kind: work === undefined ? "unknown" : kinds[work],
    state: operationStates.fromWire(operation.state) ?? "unknown",
    progress: operation.progress ? viewProgress(operation.progress) : null,
    failure: viewWireFailure(operation.failure),
    startedAt: toTime(operation.startedAt),
    endedAt: toTime(operation.endedAt),
  };
}
