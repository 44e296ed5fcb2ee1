import { durationFromWire } from "../../../proto/duration.ts";
import { Failure, failureFromWire } from "../../../proto/failure.ts";
import * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import type { ImageDigest, ManifestDigest } from "../../../proto/pack/digest.ts";
import type {
  AgentOperation,
  ByteCount,
  Customisation,
  ImageSource,
  OperationId,
  OperationPhase,
  OperationSpec,
  Progress,
  StageProgress,
  WriteStage,
} from "../../reimage/agent-operation.ts";
import { firmwareActions, operationPhases, operationStates, writeStages } from "./operation-to-wire.ts";

/**
 * An operation as an agent reports it. What a newer agent says in words unknown here becomes the most harmless that is
 * known: an unknown phase is `starting`, an unknown kind of work is absent, and an unknown state is `failed` once the
 * operation has an end and `running` before.
 */
export function operationFromWire(operation: wire.Operation): AgentOperation {
  const { operationId, state: wireState, progress, failure, startedAt, endedAt } = operation;
  const spec = operationSpecFromWire(operation.spec);
  const state = keyOf(operationStates, wireState) ?? (endedAt === undefined ? "running" : "failed");
  return {
    id: operationId as OperationId,
    state,
    progress: progressFromWire(progress ?? wire.Progress.create()),
    startedAt: startedAt?.getTime() ?? 0,
    ...(spec !== undefined && { spec }),
    ...(failure !== undefined && { failure: failureFromWire(failure) }),
    ...(failure === undefined && state === "failed" && { failure: unexplained(operation) }),
    ...(endedAt !== undefined && { endedAt: endedAt.getTime() }),
  };
}

function unexplained({ operationId }: wire.Operation): Failure {
  return new Failure("internal", `operation ${operationId} failed, but its agent gave no reason`);
}

function progressFromWire(progress: wire.Progress): Progress {
  return {
    phase: keyOf<OperationPhase>(operationPhases, progress.phase) ?? "starting",
    read: countFromWire(progress.read),
    written: countFromWire(progress.written),
    skipped: countFromWire(progress.skipped),
    verified: countFromWire(progress.verified),
    bytesPerSecond: Number(progress.bytesPerSecond),
    ...(progress.eta !== undefined && { etaMs: durationFromWire(progress.eta) }),
    resumed: progress.resumed,
    stages: progress.stages.flatMap(stageFromWire),
    ...(progress.stalled !== undefined && { stalledMs: durationFromWire(progress.stalled) }),
    rewrittenBytes: Number(progress.rewrittenBytes),
    compared: countFromWire(progress.compared),
  };
}

/** Nothing for a stage that a newer agent has. */
function stageFromWire({ stage: wireStage, bytes, busy }: wire.StageProgress): readonly StageProgress[] {
  const stage = keyOf<WriteStage>(writeStages, wireStage);
  if (stage === undefined) return [];
  return [{ stage, bytes: Number(bytes), busyMs: busy === undefined ? 0 : durationFromWire(busy) }];
}

function countFromWire(count: wire.ByteCount | undefined): ByteCount {
  return { done: Number(count?.done ?? 0n), total: Number(count?.total ?? 0n) };
}

function operationSpecFromWire(spec: wire.OperationSpec | undefined): OperationSpec | undefined {
  const work = spec?.work;
  switch (work?.$case) {
    case "writeImage": {
      const { device, source, customisation, full } = work.value;
      if (source === undefined) return undefined;
      return {
        kind: "write-image",
        device,
        source: sourceFromWire(source),
        ...(customisation && { customisation: customisationFromWire(customisation) }),
        ...(full && { full }),
      };
    }
    case "verifyImage": {
      const { device, source } = work.value;
      return source && { kind: "verify-image", device, source: sourceFromWire(source) };
    }
    case "makeFilesystem": {
      const { device, type, label } = work.value;
      if (type === wire.FilesystemType.FILESYSTEM_TYPE_VFAT)
        return { kind: "make-filesystem", device, type: "vfat", label };
      if (type === wire.FilesystemType.FILESYSTEM_TYPE_EXT4)
        return { kind: "make-filesystem", device, type: "ext4", label };
      return undefined;
    }
    case "wipe": {
      const { device, method } = work.value;
      if (method === wire.WipeMethod.WIPE_METHOD_DISCARD) return { kind: "wipe", device, method: "discard" };
      if (method === wire.WipeMethod.WIPE_METHOD_SIGNATURES) return { kind: "wipe", device, method: "signatures" };
      return undefined;
    }
    case "unmount":
      return { kind: "unmount", device: work.value.device };
    case "identify":
      return {
        kind: "identify",
        durationMs: work.value.duration === undefined ? 0 : durationFromWire(work.value.duration),
      };
    default:
      return undefined;
  }
}

function customisationFromWire({ root, stamp, residentAgent, diskFirmware }: wire.Customisation): Customisation {
  const action = diskFirmware && keyOf(firmwareActions, diskFirmware.action);
  return {
    ...(root && { root: { ...placeFromWire(root), filesystemType: root.filesystemType } }),
    ...(stamp && {
      stamp: {
        imageName: stamp.imageName,
        imageDigest: stamp.imageDigest as ImageDigest,
        reimageId: stamp.reimageId,
        installedAt: (stamp.installedAt ?? new Date(0)).toISOString(),
      },
    }),
    residentAgent,
    ...(diskFirmware &&
      action && {
        diskFirmware: {
          action,
          partitions: diskFirmware.partitions.map(placeFromWire),
          files: [...diskFirmware.files],
        },
      }),
  };
}

function placeFromWire({ offsetBytes, lengthBytes }: { readonly offsetBytes: bigint; readonly lengthBytes: bigint }) {
  return { offsetBytes: Number(offsetBytes), lengthBytes: Number(lengthBytes) };
}

function sourceFromWire(source: wire.ImageSource): ImageSource {
  return {
    url: source.url,
    compression: source.compression === wire.Compression.COMPRESSION_NONE ? "none" : "zstd",
    storedBytes: Number(source.storedBytes),
    sizeBytes: Number(source.sizeBytes),
    digest: source.digest as ImageDigest,
    firstPartitionBytes: Number(source.firstPartitionBytes),
    manifest: {
      url: source.manifest?.url ?? "",
      digest: (source.manifest?.digest ?? "") as ManifestDigest,
      manifestBytes: Number(source.manifest?.manifestBytes ?? 0n),
    },
  };
}

function keyOf<Key extends string>(table: Readonly<Record<Key, number>>, value: number): Key | undefined {
  return (Object.keys(table) as Key[]).find((key) => table[key] === value);
}
