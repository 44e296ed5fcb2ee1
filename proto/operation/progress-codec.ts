import { countFromWire } from "../count.ts";
import { durationFromWire, durationToWire } from "../duration.ts";
import * as wire from "../gen/pallet/v1/operation.ts";
import { wireWords } from "../words/wire-words.ts";
import {
  type ByteCount,
  type OperationPhase,
  type Progress,
  type StageProgress,
  type WriteStage,
  writeStages,
} from "./progress.ts";

/** The phases of operations as they travel. */
export const operationPhases = wireWords<OperationPhase, wire.OperationPhase>({
  starting: wire.OperationPhase.OPERATION_PHASE_UNSPECIFIED,
  erasing: wire.OperationPhase.OPERATION_PHASE_ERASING,
  comparing: wire.OperationPhase.OPERATION_PHASE_COMPARING,
  writing: wire.OperationPhase.OPERATION_PHASE_WRITING,
  syncing: wire.OperationPhase.OPERATION_PHASE_SYNCING,
  verifying: wire.OperationPhase.OPERATION_PHASE_VERIFYING,
  customising: wire.OperationPhase.OPERATION_PHASE_CUSTOMISING,
  "writing-table": wire.OperationPhase.OPERATION_PHASE_WRITING_TABLE,
  formatting: wire.OperationPhase.OPERATION_PHASE_FORMATTING,
  wiping: wire.OperationPhase.OPERATION_PHASE_WIPING,
  unmounting: wire.OperationPhase.OPERATION_PHASE_UNMOUNTING,
  identifying: wire.OperationPhase.OPERATION_PHASE_IDENTIFYING,
});

const stages = wireWords<WriteStage, wire.WriteStage>({
  compare: wire.WriteStage.WRITE_STAGE_COMPARE,
  fetch: wire.WriteStage.WRITE_STAGE_FETCH,
  decompress: wire.WriteStage.WRITE_STAGE_DECOMPRESS,
  check: wire.WriteStage.WRITE_STAGE_CHECK,
  write: wire.WriteStage.WRITE_STAGE_WRITE,
  "read-back": wire.WriteStage.WRITE_STAGE_READ_BACK,
});

/** Those that are known and as many that only newer peers know; each is there once. */
const mostStages = 2 * writeStages.length;

/** Progress as it travels. */
export function progressToWire(progress: Progress): wire.Progress {
  return {
    phase: operationPhases.toWire(progress.phase),
    read: countToWire(progress.read),
    written: countToWire(progress.written),
    skipped: countToWire(progress.skipped),
    verified: countToWire(progress.verified),
    bytesPerSecond: BigInt(Math.round(progress.bytesPerSecond)),
    eta: progress.etaMs === undefined ? undefined : durationToWire(progress.etaMs),
    resumed: progress.resumed,
    stages: progress.stages.map(({ stage, bytes, busyMs }) => ({
      stage: stages.toWire(stage),
      bytes: BigInt(bytes),
      busy: durationToWire(busyMs),
    })),
    stalled: progress.stalledMs === undefined ? undefined : durationToWire(progress.stalledMs),
    rewrittenBytes: BigInt(progress.rewrittenBytes),
    compared: countToWire(progress.compared),
  };
}

/**
 * Progress as it travelled. What an older peer does not count is zero; of what a newer one says in words unknown here,
 * a phase is `starting` and a stage is left out.
 */
export function progressFromWire(progress: wire.Progress): Progress {
  return {
    phase: operationPhases.fromWire(progress.phase) ?? "starting",
    read: byteCountFromWire(progress.read),
    written: byteCountFromWire(progress.written),
    skipped: byteCountFromWire(progress.skipped),
    verified: byteCountFromWire(progress.verified),
    bytesPerSecond: countFromWire(progress.bytesPerSecond),
    ...(progress.eta !== undefined && { etaMs: durationFromWire(progress.eta) }),
    resumed: progress.resumed,
    stages: progress.stages
      .slice(0, mostStages)
      .map(stageFromWire)
      .filter((each): each is StageProgress => each.stage !== undefined),
    ...(progress.stalled !== undefined && { stalledMs: durationFromWire(progress.stalled) }),
    rewrittenBytes: countFromWire(progress.rewrittenBytes),
    compared: byteCountFromWire(progress.compared),
  };
}

/** What a stage has done, as it travelled; `stage` is undefined when only newer peers know it. */
export function stageFromWire({ stage, bytes, busy }: wire.StageProgress): Omit<StageProgress, "stage"> & {
  readonly stage: WriteStage | undefined;
} {
  return {
    stage: stages.fromWire(stage),
    bytes: countFromWire(bytes),
    busyMs: busy === undefined ? 0 : durationFromWire(busy),
  };
}

function countToWire({ done, total }: ByteCount): wire.ByteCount {
  return { done: BigInt(done), total: BigInt(total) };
}

function byteCountFromWire(count: wire.ByteCount | undefined): ByteCount {
  return { done: countFromWire(count?.done ?? 0n), total: countFromWire(count?.total ?? 0n) };
}
