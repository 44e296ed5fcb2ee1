import { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import type { PartitionTableKind } from "../../../proto/words/partition-table-kind.ts";
import type { Partition } from "../catalogue/image.ts";

/** The parts of an image that a plan depends on. */
export interface ImageLayout {
  readonly sizeBytes: number;
  readonly partitionTable: PartitionTableKind;
  /** By number. */
  readonly partitions: readonly Partition[];
  readonly rootPartition: number;
}

/**
 * What happens to a partition: its ext or FAT filesystem gets the new content in the old layout, or its bytes are those
 * of the new image.
 */
export interface PartitionPlan {
  readonly how: "ext" | "fat" | "bytes";
  /** The partition in the old image. */
  readonly old: Partition;
  /** Its counterpart in the new one. */
  readonly next: Partition;
  /** Bytes that it gets; more than it had only where it is the last one. */
  readonly lengthBytes: number;
}

/** How to turn one image into another. */
export interface DerivationPlan {
  /** The result's. */
  readonly sizeBytes: number;
  readonly partitions: readonly PartitionPlan[];
}

/**
 * Plans how the content of `next` is laid out as `old` is. The old partition table stays, but for its ids, and for the
 * last partition, which grows where the new one is larger. Throws Failure `unsupported`, naming the first thing that
 * keeps the two from being one layout, and the remedy.
 */
export function planDerivation(old: ImageLayout, next: ImageLayout): DerivationPlan {
  if (old.partitionTable !== next.partitionTable)
    throw underivable(`its partition table is ${next.partitionTable}, but the old one's is ${old.partitionTable}`);
  const [numbers, wanted] = [old, next].map(({ partitions }) => partitions.map(({ number }) => number).join(", "));
  if (numbers !== wanted) throw underivable(`it has the partitions ${wanted}, but the old one has ${numbers}`);
  if (old.rootPartition !== next.rootPartition) {
    throw underivable(
      `its root filesystem is in partition ${next.rootPartition}, but the old one's is in partition ${old.rootPartition}`,
    );
  }
  const last = old.partitions.reduce((a, b) => (b.offsetBytes > a.offsetBytes ? b : a));
  const partitions = old.partitions.map((partition): PartitionPlan => {
    const counterpart = next.partitions.find(({ number }) => number === partition.number);
    if (counterpart === undefined) throw new Error(`no partition ${partition.number}`);
    return planPartition(partition, counterpart, {
      isLast: partition === last,
      isRoot: partition.number === old.rootPartition,
    });
  });
  const growth = partitions.reduce((sum, { lengthBytes, old: before }) => sum + lengthBytes - before.lengthBytes, 0);
  // An MBR's logical partition is in another one, which would have to grow too.
  if (growth > 0 && old.partitionTable === "mbr" && last.number > 4)
    throw underivable(`its logical partition ${last.number} is larger than the old one's, which cannot grow`);
  return { sizeBytes: old.sizeBytes + growth, partitions };
}

function planPartition(
  old: Partition,
  next: Partition,
  { isLast, isRoot }: { readonly isLast: boolean; readonly isRoot: boolean },
): PartitionPlan {
  const { number } = old;
  if (old.type !== next.type)
    throw underivable(`its partition ${number} has the type ${next.type}, but the old one's has ${old.type}`);
  const [before, after] = [kindOf(old), kindOf(next)];
  if (before !== after || (before === "bytes" && old.filesystemType !== next.filesystemType)) {
    throw underivable(`its partition ${number} holds ${nameOf(next)}, but the old one's holds ${nameOf(old)}`);
  }
  if (isRoot && after !== "ext")
    throw underivable(`its root filesystem is ${nameOf(next)}; only ext2, ext3 and ext4 can be laid out like another`);
  if (after === "ext" && isLast)
    return { how: after, old, next, lengthBytes: Math.max(old.lengthBytes, next.lengthBytes) };
  if (after === "bytes" && next.lengthBytes > old.lengthBytes) {
    throw underivable(
      `its partition ${number} has ${next.lengthBytes} bytes, but the old one's has ${old.lengthBytes}`,
    );
  }
  // Whether the content of a smaller filesystem fits shows when it is laid out.
  return { how: after, old, next, lengthBytes: old.lengthBytes };
}

function kindOf({ filesystemType }: Partition): PartitionPlan["how"] {
  if (isExt(filesystemType)) return "ext";
  return filesystemType === "vfat" ? "fat" : "bytes";
}

function nameOf({ filesystemType }: Partition): string {
  return filesystemType === "" ? "unknown content" : filesystemType;
}

/** Why an image cannot be derived, and what to do instead. */
export function underivable(why: string, cause?: unknown): Failure {
  const message = `the new image cannot be laid out like the old one: ${why}. Add it without deriving: controller images add`;
  return new Failure("unsupported", message, cause === undefined ? {} : { cause });
}
