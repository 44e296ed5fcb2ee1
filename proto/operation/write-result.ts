import type { PartitionIdChange } from "../system/installed-system.ts";

/** What became of the root partition; see pallet.v1.GrowthResult. */
export interface GrowthResult {
  readonly partitionBytes: number;
  readonly filesystemGrown: boolean;
  /** Why something was not grown, or not to the end: a clause for people. */
  readonly limit?: string;
}

/** What a write made of the disk besides the image; see pallet.v1.WriteResult. */
export interface WriteResult {
  /** Absent if nothing was to be grown. */
  readonly growth?: GrowthResult;
  readonly ids: readonly PartitionIdChange[];
}
