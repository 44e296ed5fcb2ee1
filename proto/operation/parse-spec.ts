import { checkLabel } from "../disk/filesystem-label.ts";
import { Failure } from "../failure.ts";
import type * as wire from "../gen/pallet/v1/operation.ts";
import { idForm, isId } from "../names/id.ts";
import { digestForm, parseImageDigest, parseManifestDigest } from "../pack/digest.ts";
import { sectorBytes, whyNotFirstPartition } from "../pack/image-bounds.ts";
import { maxManifestBytes } from "../pack/pack-manifest.ts";
import { findConfigProblems } from "../system/config/check-config.ts";
import { configDigestForm } from "../system/installed-system.ts";
import { maxControllers } from "../system/resident-settings.ts";
import type { OperationId } from "./operation.ts";
import { maxFirmwareItems, maxIdentifyMs, maxPartitions } from "./operation-limits.ts";
import type {
  CardIds,
  Customisation,
  DiskFirmware,
  Growth,
  ImageSource,
  OperationSpec,
  Place,
} from "./operation-spec.ts";
import { decodeSpec } from "./spec-codec.ts";

// The strict side of the codec: what a door that performs the work requires of a spec.

/** The id of an operation as received over the wire. Throws a Failure "invalid" when it is malformed. */
export function parseOperationId(text: string): OperationId {
  ensure(isId(text), `operation_id ${quoted(text)} is not ${idForm}`);
  return text as OperationId;
}

/** The work of an operation as received over the wire. Throws a Failure "invalid" that names the field. */
export function parseSpec(wireSpec: wire.OperationSpec | undefined): OperationSpec {
  const spec = decodeSpec(wireSpec);
  if (spec.kind !== "identify") checkDevice(spec.device);
  switch (spec.kind) {
    case "write-image":
      checkSource(spec.source);
      if (spec.customisation !== undefined) checkCustomisation(spec.customisation, spec.source);
      if (spec.growth !== undefined) checkGrowth(spec.growth, spec.source);
      if (spec.ids !== undefined) checkIds(spec.ids, spec.source);
      break;
    case "verify-image":
      checkSource(spec.source);
      break;
    case "make-filesystem":
      checkLabel(spec.type, spec.label);
      break;
    case "identify":
      ensure(
        spec.durationMs > 0 && spec.durationMs <= maxIdentifyMs,
        `duration of ${spec.durationMs / 1000} s: give more than 0 and at most 10 minutes (${maxIdentifyMs / 1000} s)`,
      );
      return { ...spec, durationMs: Math.round(spec.durationMs) };
    case "wipe":
    case "unmount":
      break;
  }
  return spec;
}

/** Checks only the form: the guard decides whether the disk may be touched. */
function checkDevice(path: string): void {
  ensure(path !== "", "device: the path is missing");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  ensure(path.length <= 256 && !/[\x00-\x1f\x7f]/.test(path), `device ${quoted(path)} is not a device path`);
}

function checkSource({ url, storedBytes, sizeBytes, digest, firstPartitionBytes, manifest }: ImageSource): void {
  checkSize(sizeBytes, "source.size_bytes");
  checkSize(storedBytes, "source.stored_bytes");
  checkSize(firstPartitionBytes, "source.first_partition_bytes");
  ensure(sizeBytes % sectorBytes === 0, `source.size_bytes ${sizeBytes} is not a multiple of ${sectorBytes}`);
  const misplaced = whyNotFirstPartition(firstPartitionBytes, sizeBytes);
  ensure(misplaced === undefined, `source.first_partition_bytes ${firstPartitionBytes} ${misplaced}`);
  checkUrl(url, "source.url");
  checkDigest(parseImageDigest(digest), digest, "source.digest");
  const { manifestBytes } = manifest;
  checkSize(manifestBytes, "source.manifest.manifest_bytes");
  ensure(
    manifestBytes <= maxManifestBytes,
    `source.manifest.manifest_bytes ${manifestBytes} is more than ${maxManifestBytes}`,
  );
  checkUrl(manifest.url, "source.manifest.url");
  checkDigest(parseManifestDigest(manifest.digest), manifest.digest, "source.manifest.digest");
}

function checkUrl(text: string, field: string): void {
  const isFetched = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
  ensure(isFetched, `${field} ${quoted(text)} is not an https:// URL, nor an http:// one`);
}

function checkCustomisation(customisation: Customisation, source: ImageSource): void {
  const { root, stamp, resident, diskFirmware, settings, system } = customisation;
  const count = settings?.controllers.length ?? 1;
  ensure(
    count > 0 && count <= maxControllers,
    `customisation.settings.controllers: ${count} given, not 1 to ${maxControllers}`,
  );
  ensure(resident || settings === undefined, "customisation.settings: there is no resident agent to be told them");
  if (diskFirmware !== undefined) checkFirmware(diskFirmware, source);
  if (diskFirmware !== undefined && root === undefined && stamp === undefined) {
    ensure(!resident, "customisation.root: the root partition to install the resident agent into is missing");
    ensure(system === undefined, "customisation.root: the root partition of the system to configure is missing");
    return;
  }
  ensure(root !== undefined, "customisation.root: the root partition is missing");
  ensure(
    /^[a-z0-9_.-]{1,32}$/.test(root.filesystemType),
    `customisation.root.filesystem_type ${quoted(root.filesystemType)} is not the name of a filesystem`,
  );
  checkPlace(root, source, "customisation.root");
  ensure(stamp !== undefined, "customisation.stamp: the stamp is missing");
  ensure(stamp.imageName !== "", "customisation.stamp.image_name is empty");
  ensure(stamp.reimageId !== "", "customisation.stamp.reimage_id is empty");
  checkDigest(parseImageDigest(stamp.imageDigest), stamp.imageDigest, "customisation.stamp.image_digest");
  checkConfig(system, stamp.config);
  ensure(resident || system?.tasks === undefined, "customisation.system.tasks: there is no resident agent to run them");
}

/** Its digest is what vouches for it later: neither is of use without the other. */
function checkConfig(system: Customisation["system"], digest: string | undefined): void {
  ensure(
    (system === undefined) === (digest === undefined),
    "customisation.system and customisation.stamp.config: one of them is missing",
  );
  if (system === undefined || digest === undefined) return;
  ensure(configDigestForm.test(digest), "customisation.stamp.config is not 64 hexadecimal digits");
  const [first] = findConfigProblems(system);
  ensure(first === undefined, `customisation.system.${first?.field} ${first?.problem}`);
}

function checkFirmware({ action, partitions, files }: DiskFirmware, source: ImageSource): void {
  const field = "customisation.disk_firmware";
  ensure(
    partitions.length > 0 && partitions.length <= maxFirmwareItems,
    `${field}.partitions: ${partitions.length} given, not 1 to ${maxFirmwareItems}`,
  );
  ensure(
    action !== "rename" || (files.length > 0 && files.length <= maxFirmwareItems),
    `${field}.files: ${files.length} given, not 1 to ${maxFirmwareItems}`,
  );
  for (const file of files)
    ensure(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(file), `${field}.files: ${quoted(file)} is not a file name`);
  for (const partition of partitions) checkPlace(partition, source, `${field}.partitions`);
}

function checkGrowth({ partitionNumber, filesystemType, endBytes = 0, ...place }: Growth, source: ImageSource): void {
  ensure(
    partitionNumber >= 1 && partitionNumber <= maxPartitions,
    `growth.partition_number ${partitionNumber} is not 1 to ${maxPartitions}`,
  );
  checkFilesystem(filesystemType, "growth");
  checkPlace(place, source, "growth");
  ensure(Number.isSafeInteger(endBytes), `growth.end_bytes ${endBytes} is too large to count exactly`);
}

function checkIds({ partitions, fatPartitions, root }: CardIds, source: ImageSource): void {
  const counts = partitions.length > 0 && partitions.length <= maxPartitions;
  ensure(counts, `ids.partitions: ${partitions.length} given, not 1 to ${maxPartitions}`);
  ensure(
    fatPartitions.length <= maxFirmwareItems,
    `ids.fat_partitions: ${fatPartitions.length} given, not at most ${maxFirmwareItems}`,
  );
  for (const { imageUuid, cardUuid } of partitions)
    for (const uuid of [imageUuid, cardUuid])
      ensure(
        /^([0-9a-f]{8}-[0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(uuid),
        `ids.partitions: ${quoted(uuid)} is not a PARTUUID`,
      );
  for (const place of fatPartitions) checkPlace(place, source, "ids.fat_partitions");
  if (root === undefined) return;
  checkFilesystem(root.filesystemType, "ids.root");
  checkPlace(root, source, "ids.root");
}

function checkFilesystem(type: string, field: string): void {
  ensure(/^[a-z0-9_.-]{0,32}$/i.test(type), `${field}.filesystem_type ${quoted(type)} is not the name of a filesystem`);
}

/** A partition of the image, which the table is before. */
function checkPlace({ offsetBytes, lengthBytes }: Place, source: ImageSource, field: string): void {
  checkSize(offsetBytes, `${field}.offset_bytes`);
  checkSize(lengthBytes, `${field}.length_bytes`);
  ensure(
    offsetBytes >= source.firstPartitionBytes && offsetBytes + lengthBytes <= source.sizeBytes,
    `${field}: ${lengthBytes} bytes at ${offsetBytes} are not between the first partition and the end of the image`,
  );
}

function checkDigest(parsed: string | undefined, text: string, field: string): void {
  ensure(parsed !== undefined, `${field} ${quoted(text)} is not ${digestForm}`);
}

function checkSize(value: number, field: string): void {
  ensure(value > 0, `${field} is missing`);
  ensure(Number.isSafeInteger(value), `${field} ${value} is too large to count exactly`);
}

function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Failure("invalid", message);
}

/** At most the first 80 characters, with everything unprintable escaped. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
