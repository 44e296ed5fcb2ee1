import type { Growth } from "../../proto/operation/operation-spec.ts";
import type { PartitionIdChange } from "../../proto/system/installed-system.ts";

/** What a card's table shall have that the image's own has not. */
export interface TableChanges {
  readonly diskBytes: number;
  readonly growth?: Growth | undefined;
  readonly ids?: readonly PartitionIdChange[] | undefined;
}

/** Bytes and where on the disk they belong. */
export interface PlacedBytes {
  readonly offsetBytes: number;
  readonly bytes: Buffer;
}

/** A table as it shall be on a card. */
export interface CardTable {
  /** As long as what was given: everything before the first partition. */
  readonly start: Buffer;
  /** A GPT's backup, for the end of the disk; to be written first. */
  readonly backup?: PlacedBytes;
  /** How long the partition to grow is now, in bytes; or why it stays as it is, as a clause. */
  readonly growth?: { readonly lengthBytes: number } | { readonly whyNot: string };
  /** The ids that were changed. */
  readonly ids: readonly PartitionIdChange[];
}
