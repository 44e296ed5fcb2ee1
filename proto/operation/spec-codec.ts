import type { MakeableFilesystem } from "../disk/filesystem-label.ts";
import { durationFromWire, durationToWire } from "../duration.ts";
import { Failure } from "../failure.ts";
import type { Duration } from "../gen/google/protobuf/duration.ts";
import * as wire from "../gen/pallet/v1/operation.ts";
import type { SystemConfig as SystemConfigMessage } from "../gen/pallet/v1/system.ts";
import { endpointForm, parseEndpoint, renderEndpoint } from "../names/endpoint.ts";
import { parseMacAddress } from "../names/node-id.ts";
import type { ImageDigest, ManifestDigest } from "../pack/digest.ts";
import { decodeSystemConfig, encodeSystemConfig } from "../system/config/config-codec.ts";
import type { InstalledSystem } from "../system/installed-system.ts";
import type { ResidentSettings } from "../system/resident-settings.ts";
import type { SystemConfig } from "../system/system-config.ts";
import { wireWords } from "../words/wire-words.ts";
import type {
  CardIds,
  Customisation,
  DiskFirmware,
  Growth,
  ImageSource,
  OperationSpec,
  Place,
} from "./operation-spec.ts";

const filesystems = wireWords<MakeableFilesystem, wire.FilesystemType>({
  vfat: wire.FilesystemType.FILESYSTEM_TYPE_VFAT,
  ext4: wire.FilesystemType.FILESYSTEM_TYPE_EXT4,
});

const wipeMethods = wireWords<"discard" | "signatures", wire.WipeMethod>({
  discard: wire.WipeMethod.WIPE_METHOD_DISCARD,
  signatures: wire.WipeMethod.WIPE_METHOD_SIGNATURES,
});

const firmwareActions = wireWords<DiskFirmware["action"], wire.FirmwareAction>({
  rename: wire.FirmwareAction.FIRMWARE_ACTION_RENAME,
  reformat: wire.FirmwareAction.FIRMWARE_ACTION_REFORMAT,
});

/** The work of an operation as it travels. */
export function specToWire(spec: OperationSpec): wire.OperationSpec {
  return { work: workToWire(spec) };
}

/** The work of an operation as it travelled, whatever it says; undefined when this program has no words for it. */
export function specFromWire(spec: wire.OperationSpec | undefined): OperationSpec | undefined {
  try {
    return decodeSpec(spec);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/**
 * The work of an operation as it travelled, with every value as received: `parseSpec` checks them. Throws a Failure
 * "invalid" that names the field when something is missing, or is a word that this program does not know.
 */
export function decodeSpec(spec: wire.OperationSpec | undefined): OperationSpec {
  const work = known(spec?.work, "spec.work is missing, or unknown to this program");
  switch (work.$case) {
    case "writeImage": {
      const { device, source, customisation, full, growth, ids } = work.value;
      return {
        kind: "write-image",
        device,
        source: sourceFromWire(source),
        ...(customisation !== undefined && { customisation: customisationFromWire(customisation) }),
        full,
        ...(growth !== undefined && { growth: growthFromWire(growth) }),
        ...(ids !== undefined && { ids: idsFromWire(ids) }),
      };
    }
    case "verifyImage":
      return { kind: "verify-image", device: work.value.device, source: sourceFromWire(work.value.source) };
    case "makeFilesystem": {
      const { device, label } = work.value;
      const type = known(filesystems.fromWire(work.value.type), "type: the filesystem type is neither vfat nor ext4");
      return { kind: "make-filesystem", device, type, label };
    }
    case "wipe": {
      const method = known(
        wipeMethods.fromWire(work.value.method),
        "method: the wipe method is neither discard nor signatures",
      );
      return { kind: "wipe", device: work.value.device, method };
    }
    case "unmount":
      return { kind: "unmount", device: work.value.device };
    case "identify": {
      const duration: Duration = known(work.value.duration, "duration is missing");
      return { kind: "identify", durationMs: durationFromWire(duration) };
    }
    default:
      return unknownWork(work);
  }
}

function workToWire(spec: OperationSpec): NonNullable<wire.OperationSpec["work"]> {
  switch (spec.kind) {
    case "write-image": {
      const { device, source, customisation, full, growth, ids } = spec;
      const value = {
        device,
        source: sourceToWire(source),
        customisation: customisation && customisationToWire(customisation),
        full,
        growth: growth && growthToWire(growth),
        ids: ids && idsToWire(ids),
      };
      return { $case: "writeImage", value };
    }
    case "verify-image":
      return { $case: "verifyImage", value: { device: spec.device, source: sourceToWire(spec.source) } };
    case "make-filesystem": {
      const { device, type, label } = spec;
      return { $case: "makeFilesystem", value: { device, type: filesystems.toWire(type), label } };
    }
    case "wipe":
      return { $case: "wipe", value: { device: spec.device, method: wipeMethods.toWire(spec.method) } };
    case "unmount":
      return { $case: "unmount", value: { device: spec.device } };
    case "identify":
      return { $case: "identify", value: { duration: durationToWire(spec.durationMs) } };
  }
}

function sourceToWire(source: ImageSource): wire.ImageSource {
  return {
    url: source.url,
    compression: wire.Compression.COMPRESSION_ZSTD,
    storedBytes: BigInt(source.storedBytes),
    sizeBytes: BigInt(source.sizeBytes),
    digest: source.digest,
    firstPartitionBytes: BigInt(source.firstPartitionBytes),
    manifest: { ...source.manifest, manifestBytes: BigInt(source.manifest.manifestBytes) },
  };
}

function sourceFromWire(wireSource: wire.ImageSource | undefined): ImageSource {
  const source = known(wireSource, "source: the image is missing");
  const manifest = known(source.manifest, "source.manifest: the pack's manifest is missing");
  if (source.compression !== wire.Compression.COMPRESSION_ZSTD)
    throw invalid("source.compression: only packs are accepted, which are compressed by zstd");
  return {
    url: source.url,
    storedBytes: Number(source.storedBytes),
    sizeBytes: Number(source.sizeBytes),
    digest: source.digest as ImageDigest,
    firstPartitionBytes: Number(source.firstPartitionBytes),
    manifest: {
      url: manifest.url,
      digest: manifest.digest as ManifestDigest,
      manifestBytes: Number(manifest.manifestBytes),
    },
  };
}

function growthToWire({ partitionNumber, filesystemType, endBytes = 0, ...place }: Growth): wire.Growth {
  return { partitionNumber, filesystemType, endBytes: BigInt(endBytes), ...placeToWire(place) };
}

function growthFromWire({ partitionNumber, filesystemType, endBytes, ...place }: wire.Growth): Growth {
  const end = Number(endBytes);
  return { partitionNumber, filesystemType, ...placeFromWire(place), ...(end !== 0 && { endBytes: end }) };
}

function idsToWire({ partitions, fatPartitions, root }: CardIds): wire.CardIds {
  return {
    partitions: [...partitions],
    fatPartitions: fatPartitions.map(placeToWire),
    root: root && { ...placeToWire(root), filesystemType: root.filesystemType },
  };
}

function idsFromWire({ partitions, fatPartitions, root }: wire.CardIds): CardIds {
  return {
    partitions: partitions.map((change) => ({ ...change })),
    fatPartitions: fatPartitions.map(placeFromWire),
    ...(root !== undefined && { root: { ...placeFromWire(root), filesystemType: root.filesystemType } }),
  };
}

function customisationToWire(customisation: Customisation): wire.Customisation {
  const { root, stamp, resident, diskFirmware, settings, system } = customisation;
  return {
    root: root && { ...placeToWire(root), filesystemType: root.filesystemType },
    stamp: stamp && {
      ...stamp,
      installedAt: new Date(stamp.installedAt),
      ids: [...(stamp.ids ?? [])],
      config: stamp.config ?? "",
    },
    resident,
    diskFirmware: diskFirmware && {
      action: firmwareActions.toWire(diskFirmware.action),
      partitions: diskFirmware.partitions.map(placeToWire),
      files: [...diskFirmware.files],
    },
    settings: settings && { bootMac: settings.node, controllers: settings.controllers.map(renderEndpoint) },
    system: system && encodeSystemConfig(system),
  };
}

function customisationFromWire(customisation: wire.Customisation): Customisation {
  const { root, stamp, resident, diskFirmware, settings, system } = customisation;
  return {
    ...(root !== undefined && { root: { ...placeFromWire(root), filesystemType: root.filesystemType } }),
    ...(stamp !== undefined && { stamp: stampFromWire(stamp) }),
    resident,
    ...(diskFirmware !== undefined && { diskFirmware: diskFirmwareFromWire(diskFirmware) }),
    ...(settings !== undefined && { settings: settingsFromWire(settings) }),
    ...(system !== undefined && { system: decodeConfig(system) }),
  };
}

function stampFromWire(stamp: NonNullable<wire.Customisation["stamp"]>): InstalledSystem {
  const installedAt = known(stamp.installedAt, "customisation.stamp.installed_at is missing");
  // A Timestamp can say more than a Date can.
  if (Number.isNaN(installedAt.getTime())) throw invalid("customisation.stamp.installed_at is not a valid time");
  return {
    imageName: stamp.imageName,
    imageDigest: stamp.imageDigest as ImageDigest,
    reimageId: stamp.reimageId,
    installedAt: installedAt.toISOString(),
    ...(stamp.ids.length > 0 && { ids: stamp.ids.map((change) => ({ ...change })) }),
    ...(stamp.config !== "" && { config: stamp.config }),
  };
}

function decodeConfig(system: SystemConfigMessage): SystemConfig {
  try {
    return decodeSystemConfig(system);
  } catch (error) {
    if (error instanceof Failure) throw invalid(`customisation.system.${error.message}`);
    throw error;
  }
}

function settingsFromWire({ bootMac, controllers }: wire.ResidentSettings): ResidentSettings {
  const field = "customisation.settings";
  return {
    node: known(parseMacAddress(bootMac), `${field}.boot_mac: ${JSON.stringify(bootMac)} is not a MAC address`),
    controllers: controllers.map((text) =>
      known(parseEndpoint(text), `${field}.controllers: ${JSON.stringify(text)} is not ${endpointForm}`),
    ),
  };
}

function diskFirmwareFromWire({ action, partitions, files }: wire.DiskFirmware): DiskFirmware {
  const unknown = "customisation.disk_firmware.action: none is chosen, or one that this program does not know";
  return {
    action: known(firmwareActions.fromWire(action), unknown),
    partitions: partitions.map(placeFromWire),
    files: [...files],
  };
}

function placeToWire({ offsetBytes, lengthBytes }: Place): wire.FirmwarePartition {
  return { offsetBytes: BigInt(offsetBytes), lengthBytes: BigInt(lengthBytes) };
}

function placeFromWire({ offsetBytes, lengthBytes }: wire.FirmwarePartition): Place {
  return { offsetBytes: Number(offsetBytes), lengthBytes: Number(lengthBytes) };
}

function unknownWork(work: never): never {
  throw invalid(`spec: this program does not know the work ${JSON.stringify(work)}`);
}

function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw invalid(otherwise);
  return value;
}

function invalid(message: string): Failure {
  return new Failure("invalid", message);
}
