import type { Image } from "../../../proto/gen/pallet/v1/image.ts";
import {
  type KernelFormat,
  type KernelOrigin,
  kernelFormats,
  kernelOrigins,
} from "../../../proto/words/kernel-kind.ts";
import { type PartitionTableKind, partitionTableKinds } from "../../../proto/words/partition-table-kind.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** A partition of an image as `--json` shows it. */
export interface PartitionView {
  readonly number: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly type: string;
  readonly partitionUuid: string | null;
  readonly filesystemType: string | null;
  readonly label: string | null;
  readonly uuid: string | null;
  /** Why nodes are sent all of it, free blocks included; null if they are not. */
  readonly countsWhole: string | null;
}

/** An image as `--json` shows it. */
export interface ImageView {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly operatingSystem: string | null;
  readonly partitionTable: PartitionTableKind | "unknown";
  readonly partitions: readonly PartitionView[];
  readonly rootPartition: number;
  /** Whether it was added with --everything. */
  readonly everything: boolean;
  readonly boot: {
    readonly kernel: string;
    readonly initrd: string | null;
    readonly deviceTrees: readonly string[];
    readonly commandLine: string;
    /** Null from a controller that did not look. */
    readonly kernelFormat: KernelFormat | null;
    readonly kernelOrigin: KernelOrigin | null;
    /** Words of its command line that are for its first boot only. */
    readonly firstBootWords: readonly string[];
    /** What each board's firmware loads by the image's own config.txt. */
    readonly firmwareBoots: readonly {
      readonly boards: readonly string[];
      readonly kernel: string;
      readonly kernelFormat: KernelFormat | null;
      readonly initrds: readonly string[];
    }[];
  } | null;
  /** What to know of it, a sentence each. */
  readonly notes: readonly string[];
  readonly addedAt: string | null;
  /** The disk that it was made of; null for one that was added from a file. */
  readonly capture: {
    readonly node: string;
    readonly disk: string;
    readonly generalised: boolean;
    /** What of the disk is not in it, or was changed in it. */
    readonly removed: readonly string[];
  } | null;
  /** How it is stored; lengths in bytes. */
  readonly pack: {
    readonly manifestDigest: string;
    readonly manifestBytes: number;
    readonly chunkBytes: number;
    readonly dataBytes: number;
    readonly zeroBytes: number;
    readonly unusedBytes: number;
    readonly fetchBytes: number;
    /** Whether nothing but free blocks is left out; false for a pack of an older controller. */
    readonly onlyFree: boolean;
  } | null;
}

/** Converts from the wire. */
export function viewImage(image: Image): ImageView {
  const { boot, pack } = image;
  return {
    name: image.name,
    digest: image.digest,
    sizeBytes: toNumber(image.sizeBytes),
    storedBytes: toNumber(image.storedBytes),
    operatingSystem: toText(image.operatingSystem),
    partitionTable: partitionTableKinds.fromWire(image.partitionTable) ?? "unknown",
    partitions: image.partitions.map((partition) => ({
      number: partition.number,
      offsetBytes: toNumber(partition.offsetBytes),
      lengthBytes: toNumber(partition.lengthBytes),
      type: partition.type,
      partitionUuid: toText(partition.partitionUuid),
      filesystemType: toText(partition.filesystemType),
      label: toText(partition.label),
      uuid: toText(partition.uuid),
      countsWhole: toText(partition.countsWhole),
    })),
    rootPartition: image.rootPartition,
    everything: image.everything,
    boot: boot
      ? {
          kernel: boot.kernel,
          initrd: toText(boot.initrd),
          deviceTrees: boot.deviceTrees,
          commandLine: boot.commandLine,
          kernelFormat: kernelFormats.fromWire(boot.kernelFormat) ?? null,
          kernelOrigin: kernelOrigins.fromWire(boot.kernelOrigin) ?? null,
          firstBootWords: boot.firstBootWords,
          firmwareBoots: boot.firmwareBoots.map(({ boards, kernel, kernelFormat, initrds }) => ({
            boards,
            kernel,
            kernelFormat: kernelFormats.fromWire(kernelFormat) ?? null,
            initrds,
          })),
        }
      : null,
    notes: image.notes,
    addedAt: toTime(image.addedAt),
    capture: image.capture ?? null,
    pack: pack
      ? {
          manifestDigest: pack.manifestDigest,
          manifestBytes: toNumber(pack.manifestBytes),
          chunkBytes: pack.chunkBytes,
          dataBytes: toNumber(pack.dataBytes),
          zeroBytes: toNumber(pack.zeroBytes),
          unusedBytes: toNumber(pack.unusedBytes),
          fetchBytes: toNumber(pack.fetchBytes),
          onlyFree: pack.onlyFree,
        }
      : null,
  };
}
