/**
 * Whether two device paths mean bytes of the same disk: the same device, or a disk and a partition of it, told by the
 * kernel's naming (block/partitions/core.c): the partition number follows the disk's name, after a "p" when that name
 * ends in a digit. Two partitions of one disk do not overlap. Paths that are not kernel names are refused by the guard.
 */
export function devicesOverlap(one: string, other: string): boolean {
  return one === other || isPartitionOf(one, other) || isPartitionOf(other, one);
}

function isPartitionOf(partition: string, disk: string): boolean {
  if (!partition.startsWith(disk)) return false;
  const suffix = partition.slice(disk.length);
  return /\d$/.test(disk) ? /^p\d+$/.test(suffix) : /^\d+$/.test(suffix);
}
