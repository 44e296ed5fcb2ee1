import type { ImageDigest, ManifestDigest } from "../../../proto/pack/digest.ts";
import type { SystemAbilities } from "../../../proto/system/config/abilities.ts";
import type { SystemFacts } from "../../../proto/system/system-facts.ts";
import type { KernelFormat, KernelOrigin } from "../../../proto/words/kernel-kind.ts";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";
import type { OwnSettings } from "./own-settings.ts";
import type { PiBoard } from "./pi-board.ts";

/** Name of an image in the catalogue: see isImageName. */
export type ImageName = string & { readonly __brand: "ImageName" };

/** A partition of an image; see pallet.v1.Partition. */
export interface Partition {
  readonly number: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly type: string;
  readonly partitionUuid: string;
  /** Its name in a GPT; absent when it has none, or if an older Pallet added the image. Not printable by itself. */
  readonly partitionLabel?: string;
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
  /**
   * Why nodes are sent all of it although its filesystem has books of what is free, a clause; absent if they are not,
   * or if an older Pallet added the image.
   */
  readonly countsWhole?: string;
  /** Whether dm-verity's hashes are of it for certain, so that nothing may be changed in it; absent for false. */
  readonly hashed?: boolean;
}

export type { KernelFormat, KernelOrigin };

/** What the firmware of some boards loads from the image's firmware partition by its config.txt. */
export interface FirmwareBoot {
  /** Boards as their filters in config.txt are called; see `piBoardOf`. */
  readonly boards: readonly PiBoard[];
  /** One of the firmware's `files`, as all paths here. Never a boot loader: Pallet stands in its place. */
  readonly kernel: string;
  /** Under another name than its own, a kernel needs arm_64bit=1, or =0 where this is "arm32-zimage". */
  readonly kernelFormat: KernelFormat;
  /** The firmware loads them one behind the other, as one initrd. None if the kernel starts without one. */
  readonly initrds: readonly string[];
  /** os_prefix as it holds: "" where there is none, or where the firmware would ignore it. */
  readonly osPrefix: string;
  /** Where overlays are, from the top: "overlays/", or "current/overlays/" by an os_prefix that has a README there. */
  readonly overlayPrefix: string;
}

/** Every file that a Pi's firmware could ask for, kept from the image's firmware (FAT) partition. */
export interface ImageFirmware {
  /** Folder in the image's boot folder in which they lie: "firmware". */
  readonly folder: string;
  /**
   * Paths from the top of the partition, spelled as on the card, with "/". No two differ only by case, since FAT has no
   * case: who looks one up does so without regard to it (`findFirmwareFile`).
   */
  readonly files: readonly string[];
  /** Which of `files` is config.txt; absent where the partition has none. */
  readonly configTxt?: string;
  /** Each board is in one of these at most; one that is in none finds no kernel there (or only a boot loader). */
  readonly boots: readonly FirmwareBoot[];
}

/** Something that an operator should know of an image; `describeNotes` has the sentence of each kind. */
export interface ImageNote {
  /** One that this Pallet does not know, from a newer one, has no sentence. */
  readonly kind: string;
  /** Printable; what it is about, for example a file's name. */
  readonly detail?: string;
}

/** Files for booting the image from a card, relative to the image's boot folder; see pallet.v1.ImageBoot. */
export interface ImageBoot {
  /**
   * What U-Boot loads. Where `kernelFormat` says that U-Boot cannot start it, `firmware.boots` has what the board's own
   * firmware can.
   */
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTrees: readonly string[];
  /** The image's own kernel command line without its root= words, and without those for the first boot only. */
  readonly commandLine: string;
  /**
   * Words of it that are for the first boot only, in their order; see `firstBootTaskOf`. Absent from images that an older
   * Pallet took in, which forgot them.
   */
  readonly firstBootWords?: readonly string[];
  /** Absent, as all below, from images that an older Pallet took in: nobody looked. */
  readonly kernelFormat?: KernelFormat;
  readonly kernelOrigin?: KernelOrigin;
  /** Absent too where the image has no partition that a Pi's firmware boots from. */
  readonly firmware?: ImageFirmware;
  readonly notes?: readonly ImageNote[];
  /** What the image itself sets at its first boot, of what a profile could set, too. */
  readonly ownSettings?: readonly OwnSettings[];
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
  /**
   * Whether nothing but free blocks is left out, by the invariant of `judgePartitions`. Absent if an older Pallet packed
   * it, which also left out zeros outside of filesystems and in holes of a block map, and free blocks under dm-verity.
   */
  readonly onlyFree?: boolean;
}

/** Where an image was taken from; see pallet.v1.Capture. */
export interface Capture {
  /** Name of the node. */
  readonly node: string;
  /** Path of the disk on it. */
  readonly disk: string;
  readonly generalised: boolean;
  /** What of the disk is not in the image, or was changed in it. Not printable by itself. */
  readonly removed: readonly string[];
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
  /**
   * Whether a resident agent can be installed in it depends on this. Absent when its root filesystem is one that only
   * the agent can read (btrfs), or the image was added by an older Pallet: then the agent decides, on the card.
   */
  readonly system?: SystemFacts;
  /** What profiles can change in it. Absent as `system`, and if an older Pallet added the image. */
  readonly abilities?: SystemAbilities;
  readonly pack: Pack;
  /** Whether it was added with --everything: no block is left out. Absent for false. */
  readonly everything?: boolean;
  /** Milliseconds since the epoch. */
  readonly addedAt: number;
  /** Absent if it was added from a file. */
  readonly capture?: Capture;
}

/** Where the first partition starts: everything before it is erased first and written last. */
export function firstPartitionBytes(image: Image): number {
  return Math.min(...image.partitions.map((partition) => partition.offsetBytes));
}

/** The partition that holds the root filesystem. */
export function rootPartitionOf(image: Pick<Image, "name" | "partitions" | "rootPartition">): Partition {
  const root = image.partitions.find((partition) => partition.number === image.rootPartition);
  if (root === undefined) throw new Error(`image ${image.name} has no partition ${image.rootPartition}`);
  return root;
}
