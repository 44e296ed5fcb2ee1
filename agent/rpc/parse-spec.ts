import { checkLabel } from "../../proto/disk/filesystem-label.ts";
import { Failure } from "../../proto/failure.ts";
import type {
  Customisation as WireCustomisation,
  DiskFirmware as WireFirmware,
  ManifestSource as WireManifestSource,
  ImageSource as WireSource,
  OperationSpec as WireSpec,
} from "../../proto/gen/pallet/v1/operation.ts";
import { Compression, FilesystemType, FirmwareAction, WipeMethod } from "../../proto/gen/pallet/v1/operation.ts";
import { ID_FORM, isId } from "../../proto/id.ts";
import { MAX_FIRMWARE_ITEMS, MAX_IDENTIFY_MS } from "../../proto/operation/operation-limits.ts";
import { DIGEST_FORM, parseImageDigest, parseManifestDigest } from "../../proto/pack/digest.ts";
import { SECTOR_BYTES, whyNotFirstPartition } from "../../proto/pack/image-bounds.ts";
import { MAX_MANIFEST_BYTES } from "../../proto/pack/pack-manifest.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";
import type {
  Customisation,
  DiskFirmware,
  ImageSource,
  ManifestSource,
  OperationId,
  OperationSpec,
} from "../operations/operation.ts";

/** The id of an operation as it came over the wire. Throws a Failure "invalid" when it is malformed. */
export function parseOperationId(text: string): OperationId {
  ensure(isId(text), `operation_id ${quoted(text)} is not ${ID_FORM}`);
  return text as OperationId;
}

/** The work of an operation as it came over the wire. Throws a Failure "invalid" that names the field. */
export function parseSpec(wire: WireSpec | undefined): OperationSpec {
  const work = wire?.work;
  if (work === undefined) throw invalid("spec: no kind of work is given, or one that this agent does not know");
  switch (work.$case) {
    case "writeImage": {
      const source = parseSource(work.value.source);
      const { customisation, full } = work.value;
      return {
        kind: "write-image",
        device: parseDevice(work.value.device),
        source,
        ...(customisation && { customisation: parseCustomisation(customisation, source) }),
        full,
      };
    }
    case "verifyImage":
      return { kind: "verify-image", device: parseDevice(work.value.device), source: parseSource(work.value.source) };
    case "makeFilesystem": {
      const type = filesystemTypes[work.value.type];
      ensure(type !== undefined, "type: no filesystem is chosen, or one that this agent cannot make");
      const device = parseDevice(work.value.device);
      const { label } = work.value;
      checkLabel(type, label);
      return { kind: "make-filesystem", device, type, label };
    }
    case "wipe": {
      const method = wipeMethods[work.value.method];
      ensure(method !== undefined, "method: no way to wipe is chosen, or one that this agent does not know");
      return { kind: "wipe", device: parseDevice(work.value.device), method };
    }
    case "unmount":
      return { kind: "unmount", device: parseDevice(work.value.device) };
    case "identify": {
      const { duration } = work.value;
      const seconds = duration === undefined ? 0 : Number(duration.seconds) + duration.nanos / 1e9;
      ensure(
        seconds > 0 && seconds * 1_000 <= MAX_IDENTIFY_MS,
        `duration of ${seconds} s is not more than 0 and at most ${MAX_IDENTIFY_MS / 1_000} s`,
      );
      return { kind: "identify", durationMs: Math.round(seconds * 1_000) };
    }
    default:
      return unknownWork(work);
  }
}

const filesystemTypes: Partial<Record<FilesystemType, "vfat" | "ext4">> = {
  [FilesystemType.FILESYSTEM_TYPE_VFAT]: "vfat",
  [FilesystemType.FILESYSTEM_TYPE_EXT4]: "ext4",
};

const wipeMethods: Partial<Record<WipeMethod, "discard" | "signatures">> = {
  [WipeMethod.WIPE_METHOD_DISCARD]: "discard",
  [WipeMethod.WIPE_METHOD_SIGNATURES]: "signatures",
};

const firmwareActions: Partial<Record<FirmwareAction, DiskFirmware["action"]>> = {
  [FirmwareAction.FIRMWARE_ACTION_RENAME]: "rename",
  [FirmwareAction.FIRMWARE_ACTION_REFORMAT]: "reformat",
};

/** Only its form: whether it is a disk that may be touched is for the guard to say. */
function parseDevice(path: string): string {
  ensure(path !== "", "device: no path is given");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  ensure(path.length <= 256 && !/[\x00-\x1f\x7f]/.test(path), `device ${quoted(path)} is no path of a device`);
  return path;
}

function parseSource(wire: WireSource | undefined): ImageSource {
  if (wire === undefined) throw invalid("source: no image is given");
  ensure(
    wire.compression === Compression.COMPRESSION_ZSTD,
    "source.compression: this agent takes nothing but a pack, which is compressed by zstd",
  );
  if (wire.manifest === undefined) throw invalid("source.manifest: no manifest of the pack is given");
  const sizeBytes = parseSize(wire.sizeBytes, "source.size_bytes");
  const storedBytes = parseSize(wire.storedBytes, "source.stored_bytes");
  const firstPartitionBytes = parseSize(wire.firstPartitionBytes, "source.first_partition_bytes");
  ensure(sizeBytes % SECTOR_BYTES === 0, `source.size_bytes ${sizeBytes} is not a multiple of ${SECTOR_BYTES}`);
  const misplaced = whyNotFirstPartition(firstPartitionBytes, sizeBytes);
  ensure(misplaced === undefined, `source.first_partition_bytes ${firstPartitionBytes} ${misplaced}`);
  return {
    url: parseUrl(wire.url, "source.url"),
    storedBytes,
    sizeBytes,
    digest: parseDigest(parseImageDigest, wire.digest, "source.digest"),
    firstPartitionBytes,
    manifest: parseManifestSource(wire.manifest),
  };
}

function parseManifestSource({ url, digest, manifestBytes }: WireManifestSource): ManifestSource {
  const field = "source.manifest";
  const bytes = parseSize(manifestBytes, `${field}.manifest_bytes`);
  ensure(bytes <= MAX_MANIFEST_BYTES, `${field}.manifest_bytes ${bytes} is more than ${MAX_MANIFEST_BYTES}`);
  return {
    url: parseUrl(url, `${field}.url`),
    digest: parseDigest(parseManifestDigest, digest, `${field}.digest`),
    manifestBytes: bytes,
  };
}

function parseUrl(text: string, field: string): string {
  ensure(URL.canParse(text) && new URL(text).protocol === "http:", `${field} ${quoted(text)} is not an http:// URL`);
  return text;
}

function parseCustomisation(wire: WireCustomisation, source: ImageSource): Customisation {
  const { residentAgent } = wire;
  const diskFirmware = wire.diskFirmware && parseFirmware(wire.diskFirmware, source);
  if (diskFirmware !== undefined && wire.root === undefined && wire.stamp === undefined) {
    ensure(!residentAgent, "customisation.root: no root partition to install the resident agent into is given");
    return { residentAgent, diskFirmware };
  }
  return {
    root: parseRoot(wire.root, source),
    stamp: parseStamp(wire.stamp),
    residentAgent,
    ...(diskFirmware && { diskFirmware }),
  };
}

function parseRoot(wire: WireCustomisation["root"], source: ImageSource): NonNullable<Customisation["root"]> {
  if (wire === undefined) throw invalid("customisation.root: no root partition is given");
  const { filesystemType } = wire;
  ensure(
    /^[a-z0-9_.-]{1,32}$/.test(filesystemType),
    `customisation.root.filesystem_type ${quoted(filesystemType)} is no name of a filesystem`,
  );
  return { ...parsePlace(wire, source, "customisation.root"), filesystemType };
}

function parseFirmware(wire: WireFirmware, source: ImageSource): DiskFirmware {
  const field = "customisation.disk_firmware";
  const action = firmwareActions[wire.action];
  ensure(action !== undefined, `${field}.action: none is chosen, or one that this agent does not know`);
  const { partitions, files } = wire;
  ensure(
    partitions.length > 0 && partitions.length <= MAX_FIRMWARE_ITEMS,
    `${field}.partitions: ${partitions.length} are given, not 1 to ${MAX_FIRMWARE_ITEMS}`,
  );
  ensure(
    action !== "rename" || (files.length > 0 && files.length <= MAX_FIRMWARE_ITEMS),
    `${field}.files: ${files.length} are given, not 1 to ${MAX_FIRMWARE_ITEMS}`,
  );
  for (const file of files)
    ensure(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(file), `${field}.files: ${quoted(file)} is no name of a file`);
  return {
    action,
    partitions: partitions.map((partition) => parsePlace(partition, source, `${field}.partitions`)),
    files: [...files],
  };
}

/** A partition of the image, which the table lies before. */
function parsePlace(
  wire: { readonly offsetBytes: bigint; readonly lengthBytes: bigint },
  source: ImageSource,
  field: string,
): { readonly offsetBytes: number; readonly lengthBytes: number } {
  const offsetBytes = parseSize(wire.offsetBytes, `${field}.offset_bytes`);
  const lengthBytes = parseSize(wire.lengthBytes, `${field}.length_bytes`);
  ensure(
    offsetBytes >= source.firstPartitionBytes && offsetBytes + lengthBytes <= source.sizeBytes,
    `${field}: ${lengthBytes} bytes at ${offsetBytes} do not lie between the first partition and the end of the image`,
  );
  return { offsetBytes, lengthBytes };
}

function parseStamp(wire: WireCustomisation["stamp"]): InstalledSystem {
  if (wire === undefined) throw invalid("customisation.stamp: no stamp is given");
  ensure(wire.imageName !== "", "customisation.stamp.image_name is empty");
  ensure(wire.reimageId !== "", "customisation.stamp.reimage_id is empty");
  if (wire.installedAt === undefined) throw invalid("customisation.stamp.installed_at is not given");
  return {
    imageName: wire.imageName,
    imageDigest: parseDigest(parseImageDigest, wire.imageDigest, "customisation.stamp.image_digest"),
    reimageId: wire.reimageId,
    installedAt: wire.installedAt.toISOString(),
  };
}

function parseDigest<Digest>(parse: (text: string) => Digest | undefined, text: string, field: string): Digest {
  const digest = parse(text);
  ensure(digest !== undefined, `${field} ${quoted(text)} is not ${DIGEST_FORM}`);
  return digest;
}

function parseSize(value: bigint, field: string): number {
  ensure(value > 0n, `${field} is not given`);
  ensure(value <= BigInt(Number.MAX_SAFE_INTEGER), `${field} ${value} is beyond what this agent can count`);
  return Number(value);
}

function unknownWork(work: never): never {
  throw invalid(`spec: this agent does not know the work ${JSON.stringify(work)}`);
}

function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw invalid(message);
}

function invalid(message: string): Failure {
  return new Failure("invalid", message);
}

/** At most the first 80 characters, with everything unprintable escaped. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
