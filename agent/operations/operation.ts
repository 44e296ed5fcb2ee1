import type { Failure } from "../../proto/failure.ts";
import type { ImageDigest, ManifestDigest } from "../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";

/** Id of an operation, chosen by the caller: 1 to 64 characters of [A-Za-z0-9._-]. */
export type OperationId = string & { readonly __brand: "OperationId" };

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

/** See pallet.v1.DiskFirmware. */
export interface DiskFirmware {
  readonly action: "rename" | "reformat";
  readonly partitions: readonly { readonly offsetBytes: number; readonly lengthBytes: number }[];
  /** Names in the root folders of the partitions; only to rename. */
  readonly files: readonly string[];
}

/** See pallet.v1.Customisation. */
export interface Customisation {
  /** Where the root filesystem lies; there when `stamp` is. */
  readonly root?: {
    readonly offsetBytes: number;
    readonly lengthBytes: number;
    readonly filesystemType: string;
  };
  /** Absent when nothing is placed into the system. */
  readonly stamp?: InstalledSystem;
  /** Whether the agent is installed into the new system too. */
  readonly residentAgent: boolean;
  /** Absent when the firmware may boot the disk. */
  readonly diskFirmware?: DiskFirmware;
}

/** The work of an operation, validated by the rpc door. */
export type OperationSpec =
  | {
      readonly kind: "write-image";
      readonly device: string;
      readonly source: ImageSource;
      readonly customisation?: Customisation;
      /** Whether chunks are written also where the disk holds them already. */
      readonly full: boolean;
    }
  | {
      readonly kind: "verify-image";
      readonly device: string;
      readonly source: ImageSource;
    }
  | {
      readonly kind: "make-filesystem";
      readonly device: string;
      readonly type: "vfat" | "ext4";
      readonly label: string;
    }
  | {
      readonly kind: "wipe";
      readonly device: string;
      readonly method: "discard" | "signatures";
    }
  | { readonly kind: "unmount"; readonly device: string }
  | { readonly kind: "identify"; readonly durationMs: number };

/** What an operation is doing right now; see pallet.v1.OperationPhase. */
export type OperationPhase =
  | "starting"
  | "erasing"
  | "comparing"
  | "writing"
  | "syncing"
  | "verifying"
  | "customising"
  | "writing-table"
  | "formatting"
  | "wiping"
  | "unmounting"
  | "identifying";

/** Bytes done of a total; a total of 0 is unknown. */
export interface ByteCount {
  readonly done: number;
  readonly total: number;
}

/** A part of writing or verifying that works beside the others; see pallet.v1.WriteStage. In their order. */
export const WRITE_STAGES = ["compare", "fetch", "decompress", "check", "write", "read-back"] as const;
export type WriteStage = (typeof WRITE_STAGES)[number];

/** What one stage has done; see pallet.v1.StageProgress. */
export interface StageProgress {
  readonly stage: WriteStage;
  readonly bytes: number;
  /** For how long it had at least one piece of work in hand. */
  readonly busyMs: number;
}

/** How far an operation has come; see pallet.v1.Progress. */
export interface Progress {
  readonly phase: OperationPhase;
  readonly read: ByteCount;
  readonly written: ByteCount;
  readonly skipped: ByteCount;
  readonly verified: ByteCount;
  readonly compared: ByteCount;
  readonly bytesPerSecond: number;
  readonly etaMs?: number;
  readonly resumed: number;
  /** In the order of WRITE_STAGES; those only that have begun. */
  readonly stages: readonly StageProgress[];
  /** For how long the oldest request to the disk has been waiting; absent unless that is too long. Whole seconds. */
  readonly stalledMs?: number;
  readonly rewrittenBytes: number;
}

/** An operation as its watchers see it. A snapshot: never changed after it was published. */
export interface Operation {
  readonly id: OperationId;
  readonly spec: OperationSpec;
  readonly state: "running" | "succeeded" | "failed" | "cancelled";
  readonly progress: Progress;
  readonly failure?: Failure;
  readonly startedAt: Date;
  readonly endedAt?: Date;
}
