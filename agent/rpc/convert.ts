import { durationToWire } from "../../proto/duration.ts";
import { failureToWire } from "../../proto/failure.ts";
import {
  Compression,
  FilesystemType,
  FirmwareAction,
  WipeMethod,
  type ByteCount as WireByteCount,
  type Customisation as WireCustomisation,
  type DiskFirmware as WireFirmware,
  type ManifestSource as WireManifestSource,
  type Operation as WireOperation,
  OperationPhase as WirePhase,
  type Progress as WireProgress,
  type ImageSource as WireSource,
  type OperationSpec as WireSpec,
  WriteStage as WireStage,
  OperationState as WireState,
} from "../../proto/gen/pallet/v1/operation.ts";
import { installedToWire } from "../../proto/node/node-codec.ts";
import type {
  ByteCount,
  Customisation,
  DiskFirmware,
  ImageSource,
  ManifestSource,
  Operation,
  OperationPhase,
  OperationSpec,
  Progress,
  WriteStage,
} from "../operations/operation.ts";

// From the words of the domain to those of the wire. What comes the other way is checked in parse-spec.ts.

const phases: Record<OperationPhase, WirePhase> = {
  starting: WirePhase.OPERATION_PHASE_UNSPECIFIED,
  erasing: WirePhase.OPERATION_PHASE_ERASING,
  comparing: WirePhase.OPERATION_PHASE_COMPARING,
  writing: WirePhase.OPERATION_PHASE_WRITING,
  syncing: WirePhase.OPERATION_PHASE_SYNCING,
  verifying: WirePhase.OPERATION_PHASE_VERIFYING,
  customising: WirePhase.OPERATION_PHASE_CUSTOMISING,
  "writing-table": WirePhase.OPERATION_PHASE_WRITING_TABLE,
  formatting: WirePhase.OPERATION_PHASE_FORMATTING,
  wiping: WirePhase.OPERATION_PHASE_WIPING,
  unmounting: WirePhase.OPERATION_PHASE_UNMOUNTING,
  identifying: WirePhase.OPERATION_PHASE_IDENTIFYING,
};

const stages: Record<WriteStage, WireStage> = {
  compare: WireStage.WRITE_STAGE_COMPARE,
  fetch: WireStage.WRITE_STAGE_FETCH,
  decompress: WireStage.WRITE_STAGE_DECOMPRESS,
  check: WireStage.WRITE_STAGE_CHECK,
  write: WireStage.WRITE_STAGE_WRITE,
  "read-back": WireStage.WRITE_STAGE_READ_BACK,
};

const states: Record<Operation["state"], WireState> = {
  running: WireState.OPERATION_STATE_RUNNING,
  succeeded: WireState.OPERATION_STATE_SUCCEEDED,
  failed: WireState.OPERATION_STATE_FAILED,
  cancelled: WireState.OPERATION_STATE_CANCELLED,
};

/** A snapshot of an operation. */
export function operationToWire(operation: Operation): WireOperation {
  return {
    operationId: operation.id,
    spec: specToWire(operation.spec),
    state: states[operation.state],
    progress: progressToWire(operation.progress),
    failure: operation.failure && failureToWire(operation.failure),
    startedAt: operation.startedAt,
    endedAt: operation.endedAt,
  };
}

function progressToWire(progress: Progress): WireProgress {
  return {
    phase: phases[progress.phase],
    read: countToWire(progress.read),
    written: countToWire(progress.written),
    skipped: countToWire(progress.skipped),
    verified: countToWire(progress.verified),
    compared: countToWire(progress.compared),
    bytesPerSecond: BigInt(progress.bytesPerSecond),
    eta: progress.etaMs === undefined ? undefined : durationToWire(progress.etaMs),
    resumed: progress.resumed,
    stages: progress.stages.map(({ stage, bytes, busyMs }) => ({
      stage: stages[stage],
      bytes: BigInt(bytes),
      busy: durationToWire(busyMs),
    })),
    stalled: progress.stalledMs === undefined ? undefined : durationToWire(progress.stalledMs),
    rewrittenBytes: BigInt(progress.rewrittenBytes),
  };
}

/** The work of an operation. */
export function specToWire(spec: OperationSpec): WireSpec {
  return { work: workToWire(spec) };
}

function workToWire(spec: OperationSpec): WireSpec["work"] {
  switch (spec.kind) {
    case "write-image":
      return {
        $case: "writeImage",
        value: {
          device: spec.device,
          source: sourceToWire(spec.source),
          customisation: spec.customisation && customisationToWire(spec.customisation),
          full: spec.full,
        },
      };
    case "verify-image":
      return { $case: "verifyImage", value: { device: spec.device, source: sourceToWire(spec.source) } };
    case "make-filesystem":
      return {
        $case: "makeFilesystem",
        value: {
          device: spec.device,
          type: spec.type === "vfat" ? FilesystemType.FILESYSTEM_TYPE_VFAT : FilesystemType.FILESYSTEM_TYPE_EXT4,
          label: spec.label,
        },
      };
    case "wipe":
      return {
        $case: "wipe",
        value: {
          device: spec.device,
          method: spec.method === "discard" ? WipeMethod.WIPE_METHOD_DISCARD : WipeMethod.WIPE_METHOD_SIGNATURES,
        },
      };
    case "unmount":
      return { $case: "unmount", value: { device: spec.device } };
    case "identify":
      return { $case: "identify", value: { duration: durationToWire(spec.durationMs) } };
  }
}

function sourceToWire(source: ImageSource): WireSource {
  return {
    url: source.url,
    compression: Compression.COMPRESSION_ZSTD,
    storedBytes: BigInt(source.storedBytes),
    sizeBytes: BigInt(source.sizeBytes),
    digest: source.digest,
    firstPartitionBytes: BigInt(source.firstPartitionBytes),
    manifest: manifestToWire(source.manifest),
  };
}

function manifestToWire({ url, digest, manifestBytes }: ManifestSource): WireManifestSource {
  return { url, digest, manifestBytes: BigInt(manifestBytes) };
}

function customisationToWire({ root, stamp, residentAgent, diskFirmware }: Customisation): WireCustomisation {
  return {
    root: root && {
      offsetBytes: BigInt(root.offsetBytes),
      lengthBytes: BigInt(root.lengthBytes),
      filesystemType: root.filesystemType,
    },
    stamp: stamp && installedToWire(stamp),
    residentAgent,
    diskFirmware: diskFirmware && firmwareToWire(diskFirmware),
  };
}

function firmwareToWire({ action, partitions, files }: DiskFirmware): WireFirmware {
  return {
    action: action === "rename" ? FirmwareAction.FIRMWARE_ACTION_RENAME : FirmwareAction.FIRMWARE_ACTION_REFORMAT,
    partitions: partitions.map(({ offsetBytes, lengthBytes }) => ({
      offsetBytes: BigInt(offsetBytes),
      lengthBytes: BigInt(lengthBytes),
    })),
    files: [...files],
  };
}

function countToWire({ done, total }: ByteCount): WireByteCount {
  return { done: BigInt(done), total: BigInt(total) };
}
