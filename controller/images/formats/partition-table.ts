import { Failure } from "../../../proto/failure.ts";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";

/** Bytes of an image from `offsetBytes` on; shorter than `lengthBytes` only where the image ends. */
export type ReadBytes = (offsetBytes: number, lengthBytes: number) => Buffer;

/** A partition as the table describes it; its content is not known yet. */
export interface TableEntry {
  /** Number as Linux counts: the N of mmcblk0pN. */
  readonly number: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Two hexadecimal digits for MBR, a GUID for GPT; lower case. */
  readonly type: string;
  /** PARTUUID as Linux builds it; lower case. */
  readonly partitionUuid: string;
  /** Its name in a GPT; absent when it has none. Not printable by itself: it comes from outside. */
  readonly partitionLabel?: string;
}

/** A valid partition table. */
export interface PartitionTable {
  readonly kind: PartitionTableKind;
  /** By number; at least one; none overlaps another or reaches past the end of the image. */
  readonly entries: readonly TableEntry[];
}

/**
 * Refuses, naming both, partitions that overlap, and any that is outside `from` … `to` (bytes, `to` exclusive). `area`
 * is what that is called; by default the image.
 */
export function refuseMisplaced(
  entries: readonly TableEntry[],
  from: number,
  to: number,
  area: "the image" | "the area for partitions" | "the extended partition" = "the image",
): void {
  const byOffset = entries.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
  for (const [position, entry] of byOffset.entries()) {
    const end = entry.offsetBytes + entry.lengthBytes;
    const evidence = { expected: `bytes ${from} to ${to}`, found: `bytes ${entry.offsetBytes} to ${end}` };
    if (entry.offsetBytes < from) {
      const what = area === "the image" ? "inside the partition table" : `before ${area}`;
      throw new Failure("image-damaged", `partition ${entry.number} starts ${what}; the image is a bad copy`, evidence);
    }
    if (end > to) {
      throw new Failure(
        "image-damaged",
        `partition ${entry.number} extends past ${area}; the image was probably cut short or is a bad copy`,
        evidence,
      );
    }
    const next = byOffset[position + 1];
    if (next !== undefined && next.offsetBytes < end) {
      throw new Failure("image-damaged", `partitions ${entry.number} and ${next.number} overlap`, {
        expected: `partition ${next.number} at byte ${end} or later`,
        found: `byte ${next.offsetBytes}`,
      });
    }
  }
}
