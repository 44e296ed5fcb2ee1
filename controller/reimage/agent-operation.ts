import type { Failure } from "../../proto/failure.ts";
import type { ImageDigest, ManifestDigest } from "../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";

/** Id of an operation on an agent, chosen by the controller: 1 to 64 characters of [A-Za-z0-9._-]. */
export type OperationId = string & { readonly __brand: "OperationId" };

/** See pallet.v1.ManifestSource. */
export interface ManifestSource {
  readonly url: string;
  readonly digest: ManifestDigest;
  readonly manifestBytes: number;
}

/** See pallet.v1.ImageSource. */
export interface ImageSource {
  readonly url: string;
  readonly compression: "none" | "zstd";
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly digest: ImageDigest;
  readonly firstPartitionBytes: number;
  readonly manifest: ManifestSource;
}

/** See pallet.v1.DiskFirmware. Plain data that survives JSON. */
export interface DiskFirmware {
  readonly action: "rename" | "reformat";
  readonly partitions: readonly { readonly offsetBytes: number; readonly lengthBytes: number }[];
  /** Names in the root folders of the partitions; only to rename. */
  readonly files: readonly string[];
}

/** See pallet.v1.Customisation. */
export interface Customisation {
  /** There when `stamp` is. */
  readonly root?: { readonly offsetBytes: number; readonly lengthBytes: number; readonly filesystemType: string };
  /** Absent when nothing is placed into the system. */
  readonly stamp?: InstalledSystem;
  /** Whether the agent is installed into the new system too. */
  readonly residentAgent: boolean;
  /** Absent when the board's firmware may boot the disk. */
  readonly diskFirmware?: DiskFirmware;
}

/** Work that the controller asks of an agent; see pallet.v1.OperationSpec. */
export type OperationSpec =
  | {
      readonly kind: "write-image";
      readonly device: string;
      readonly source: ImageSource;
      readonly customisation?: Customisation;
      /** Whether also what the disk holds already is fetched and written. */
      readonly full?: boolean;
    }
  | { readonly kind: "verify-image"; readonly device: string; readonly source: ImageSource }
  | {
      readonly kind: "make-filesystem";
      readonly device: string;
      readonly type: "vfat" | "ext4";
      readonly label: string;
    }
  | { readonly kind: "wipe"; readonly device: string; readonly method: "discard" | "signatures" }
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

/** A part of writing an image; see pallet.v1.WriteStage. */
export type WriteStage = "compare" | "fetch" | "decompress" | "check" | "write" | "read-back";

/** What one stage has done so far; see pallet.v1.StageProgress. */
export interface StageProgress {
  readonly stage: WriteStage;
  readonly bytes: number;
  readonly busyMs: number;
}

/** How far an operation has come; see pallet.v1.Progress. Plain data. */
export interface Progress {
  readonly phase: OperationPhase;
  readonly read: ByteCount;
  readonly written: ByteCount;
  readonly skipped: ByteCount;
  readonly verified: ByteCount;
  readonly bytesPerSecond: number;
  readonly etaMs?: number;
  /** How often a broken connection to the source was taken up again. */
  readonly resumed: number;
  /** What each stage of a write has done; absent for other work, and in a journal from before there were stages. */
  readonly stages?: readonly StageProgress[];
  /** For how long the oldest request to the disk has been waiting, once that is too long. */
  readonly stalledMs?: number;
  /** What was compared before anything is fetched; absent in a journal from before this was counted. */
  readonly compared?: ByteCount;
  /** Image bytes that were read back wrong and written again; absent in a journal from before this was counted. */
  readonly rewrittenBytes?: number;
}

/** One observed state of an operation on an agent; see pallet.v1.Operation. */
export interface AgentOperation {
  readonly id: OperationId;
  /** Absent when a newer agent reports a kind of work that this controller does not know. */
  readonly spec?: OperationSpec;
  readonly state: "running" | "succeeded" | "failed" | "cancelled";
  readonly progress: Progress;
  /** Present when failed or cancelled. */
  readonly failure?: Failure;
  /** Milliseconds since the epoch, by the clock of the node. */
  readonly startedAt: number;
  readonly endedAt?: number;
}
