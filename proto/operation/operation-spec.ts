import type { MakeableFilesystem } from "../disk/filesystem-label.ts";
import type { ImageDigest, ManifestDigest } from "../pack/digest.ts";
import type { InstalledSystem, PartitionIdChange } from "../system/installed-system.ts";
import type { ResidentSettings } from "../system/resident-settings.ts";
import type { SystemConfig } from "../system/system-config.ts";

/** See pallet.v1.ManifestSource. */
export interface ManifestSource {
  readonly url: string;
  readonly digest: ManifestDigest;
  readonly manifestBytes: number;
}

/** See pallet.v1.ImageSource: always a pack, and so compressed by zstd. */
export interface ImageSource {
  readonly url: string;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly digest: ImageDigest;
  readonly firstPartitionBytes: number;
  readonly manifest: ManifestSource;
}

/** A partition of an image, before there is a table that says so. */
export interface Place {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** See pallet.v1.DiskFirmware. Plain data. */
export interface DiskFirmware {
  readonly action: "rename" | "reformat";
  readonly partitions: readonly Place[];
  /** Names in the root folders of the partitions; only to rename. */
  readonly files: readonly string[];
}

/** See pallet.v1.Customisation. */
export interface Customisation {
  /** Where the root filesystem lies; there when `stamp` is. */
  readonly root?: Place & { readonly filesystemType: string };
  /** Absent if nothing is added to the system. */
  readonly stamp?: InstalledSystem;
  /** Whether to also install the agent into the new system. */
  readonly resident: boolean;
  /** Absent when the board's firmware may boot the disk. */
  readonly diskFirmware?: DiskFirmware;
  /** Absent if the new system learns of its controller from the kernel's command line alone. */
  readonly settings?: ResidentSettings;
  /** Absent if the new system stays as the image has it. Has secrets. */
  readonly system?: SystemConfig;
}

/** See pallet.v1.Growth. The place is that in the image. */
export interface Growth extends Place {
  readonly partitionNumber: number;
  readonly filesystemType: string;
  /** Absent to grow to the end of the disk. */
  readonly endBytes?: number;
}

/** See pallet.v1.CardIds. */
export interface CardIds {
  readonly partitions: readonly PartitionIdChange[];
  readonly fatPartitions: readonly Place[];
  readonly root?: Place & { readonly filesystemType: string };
}

/** The work of an operation; see pallet.v1.OperationSpec. */
export type OperationSpec =
  | {
      readonly kind: "write-image";
      readonly device: string;
      readonly source: ImageSource;
      /** Absent if the image stays untouched. */
      readonly customisation?: Customisation;
      /** Whether to rewrite everything, even what the disk already has. */
      readonly full: boolean;
      /** Absent if everything keeps its length. */
      readonly growth?: Growth;
      /** Absent if every partition keeps its id. */
      readonly ids?: CardIds;
    }
  | { readonly kind: "verify-image"; readonly device: string; readonly source: ImageSource }
  | {
      readonly kind: "make-filesystem";
      readonly device: string;
      readonly type: MakeableFilesystem;
      readonly label: string;
    }
  | { readonly kind: "wipe"; readonly device: string; readonly method: "discard" | "signatures" }
  | { readonly kind: "unmount"; readonly device: string }
  | { readonly kind: "identify"; readonly durationMs: number };
