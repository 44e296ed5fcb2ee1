import { durationToWire } from "../../../proto/duration.ts";
import { failureToWire } from "../../../proto/failure.ts";
import * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import type {
  AgentOperation,
  ByteCount,
  Customisation,
  DiskFirmware,
  ImageSource,
  OperationPhase,
  OperationSpec,
  Progress,
  StageProgress,
  WriteStage,
} from "../../reimage/agent-operation.ts";

/** Each state as it travels. */
export const operationStates = {
  running: wire.OperationState.OPERATION_STATE_RUNNING,
  succeeded: wire.OperationState.OPERATION_STATE_SUCCEEDED,
  failed: wire.OperationState.OPERATION_STATE_FAILED,
  cancelled: wire.OperationState.OPERATION_STATE_CANCELLED,
} as const satisfies Record<AgentOperation["state"], wire.OperationState>;

/** Each phase as it travels. */
export const operationPhases = {
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
} as const satisfies Record<OperationPhase, wire.OperationPhase>;

/** Each stage of a write as it travels. */
export const writeStages = {
  compare: wire.WriteStage.WRITE_STAGE_COMPARE,
  fetch: wire.WriteStage.WRITE_STAGE_FETCH,
  decompress: wire.WriteStage.WRITE_STAGE_DECOMPRESS,
  check: wire.WriteStage.WRITE_STAGE_CHECK,
  write: wire.WriteStage.WRITE_STAGE_WRITE,
  "read-back": wire.WriteStage.WRITE_STAGE_READ_BACK,
} as const satisfies Record<WriteStage, wire.WriteStage>;

/** Each way to treat firmware as it travels. */
export const firmwareActions = {
  rename: wire.FirmwareAction.FIRMWARE_ACTION_RENAME,
  reformat: wire.FirmwareAction.FIRMWARE_ACTION_REFORMAT,
} as const satisfies Record<DiskFirmware["action"], wire.FirmwareAction>;

const compressions = {
  none: wire.Compression.COMPRESSION_NONE,
  zstd: wire.Compression.COMPRESSION_ZSTD,
} as const;

const filesystems = {
  vfat: wire.FilesystemType.FILESYSTEM_TYPE_VFAT,
  ext4: wire.FilesystemType.FILESYSTEM_TYPE_EXT4,
} as const;

const wipeMethods = {
  discard: wire.WipeMethod.WIPE_METHOD_DISCARD,
  signatures: wire.WipeMethod.WIPE_METHOD_SIGNATURES,
} as const;

/** An operation as it travels. */
export function operationToWire(operation: AgentOperation): wire.Operation {
  return {
    operationId: operation.id,
    spec: operation.spec && operationSpecToWire(operation.spec),
    state: operationStates[operation.state],
    progress: progressToWire(operation.progress),
    failure: operation.failure && failureToWire(operation.failure),
    startedAt: new Date(operation.startedAt),
    endedAt: operation.endedAt === undefined ? undefined : new Date(operation.endedAt),
  };
}

/** Progress as it travels. */
export function progressToWire(progress: Progress): wire.Progress {
  return {
    phase: operationPhases[progress.phase],
    read: byteCountToWire(progress.read),
    written: byteCountToWire(progress.written),
    skipped: byteCountToWire(progress.skipped),
    verified: byteCountToWire(progress.verified),
    bytesPerSecond: BigInt(Math.round(progress.bytesPerSecond)),
    eta: progress.etaMs === undefined ? undefined : durationToWire(progress.etaMs),
    resumed: progress.resumed,
    stages: (progress.stages ?? []).map(stageToWire),
    stalled: progress.stalledMs === undefined ? undefined : durationToWire(progress.stalledMs),
    rewrittenBytes: BigInt(progress.rewrittenBytes ?? 0),
    compared: progress.compared && byteCountToWire(progress.compared),
  };
}

function stageToWire({ stage, bytes, busyMs }: StageProgress): wire.StageProgress {
  return { stage: writeStages[stage], bytes: BigInt(bytes), busy: durationToWire(busyMs) };
}

/** The work of an operation as it travels. */
export function operationSpecToWire(spec: OperationSpec): wire.OperationSpec {
  switch (spec.kind) {
    case "write-image": {
      const { device, source, customisation, full } = spec;
      const value = {
        device,
        source: sourceToWire(source),
        customisation: customisation && customisationToWire(customisation),
        full: full ?? false,
      };
      return { work: { $case: "writeImage", value } };
    }
    case "verify-image":
      return { work: { $case: "verifyImage", value: { device: spec.device, source: sourceToWire(spec.source) } } };
    case "make-filesystem": {
      const value = { device: spec.device, type: filesystems[spec.type], label: spec.label };
      return { work: { $case: "makeFilesystem", value } };
    }
    case "wipe":
      return { work: { $case: "wipe", value: { device: spec.device, method: wipeMethods[spec.method] } } };
    case "unmount":
      return { work: { $case: "unmount", value: { device: spec.device } } };
    case "identify":
      return { work: { $case: "identify", value: { duration: durationToWire(spec.durationMs) } } };
  }
}

function sourceToWire(source: ImageSource): wire.ImageSource {
  return {
    url: source.url,
    compression: compressions[source.compression],
    storedBytes: BigInt(source.storedBytes),
    sizeBytes: BigInt(source.sizeBytes),
    digest: source.digest,
    firstPartitionBytes: BigInt(source.firstPartitionBytes),
    manifest: { ...source.manifest, manifestBytes: BigInt(source.manifest.manifestBytes) },
  };
}

function customisationToWire({ root, stamp, residentAgent, diskFirmware }: Customisation): wire.Customisation {
  return {
    root: root && { ...placeToWire(root), filesystemType: root.filesystemType },
    stamp: stamp && { ...stamp, installedAt: new Date(stamp.installedAt) },
    residentAgent,
    diskFirmware: diskFirmware && {
      action: firmwareActions[diskFirmware.action],
      partitions: diskFirmware.partitions.map(placeToWire),
      files: [...diskFirmware.files],
    },
  };
}

function placeToWire({ offsetBytes, lengthBytes }: { readonly offsetBytes: number; readonly lengthBytes: number }) {
  return { offsetBytes: BigInt(offsetBytes), lengthBytes: BigInt(lengthBytes) };
}

function byteCountToWire({ done, total }: ByteCount): wire.ByteCount {
  return { done: BigInt(done), total: BigInt(total) };
}
