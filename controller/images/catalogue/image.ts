import type { ImageDigest, ManifestDigest } from "../../../proto/pack/digest.ts";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";

/** Name of an image in the catalogue: see isImageName. */
export type ImageName = string & { readonly __brand: "ImageName" };

/** A partition of an image; see pallet.v1.Partition. */
export interface Partition {
  readonly number: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly type: string;
  readonly partitionUuid: string;
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
}

/** Files for booting the image from a card, relative to the image's boot folder; see pallet.v1.ImageBoot. */
export interface ImageBoot {
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTrees: readonly string[];
  /** The image's own kernel command line without its root= words. */
  readonly commandLine: string;
}

/** How an image is stored; see pallet.v1.Pack. Lengths are in bytes. */
export interface Pack {
  readonly manifestDigest: ManifestDigest;
  readonly manifestBytes: number;
  readonly chunkBytes: number;
  readonly dataBytes: number;
  readonly zeroBytes: number;
  readonly unusedBytes: number;
  readonly fetchBytes: number;
}

/** An image in the catalogue, as its manifest on disk holds it. */
export interface Image {
  readonly name: ImageName;
  readonly digest: ImageDigest;
  readonly sizeBytes: number;
  /** Length of its pack. */
  readonly storedBytes: number;
  readonly partitionTable: PartitionTableKind;
  readonly partitions: readonly Partition[];
  /** Number of the partition that holds the root filesystem. */
  readonly rootPartition: number;
  readonly operatingSystem: string;
  readonly boot: ImageBoot;
  readonly pack: Pack;
  /** Milliseconds since the epoch. */
  readonly addedAt: number;
}

/** Where the first partition starts: everything before it is erased first and written last. */
export function firstPartitionBytes(image: Image): number {
  return Math.min(...image.partitions.map((partition) => partition.offsetBytes));
}

/** The partition that holds the root filesystem. */
export function rootPartitionOf(image: Image): Partition {
  const root = image.partitions.find((partition) => partition.number === image.rootPartition);
  if (root === undefined) throw new Error(`image ${image.name} has no partition ${image.rootPartition}`);
  return root;
}
