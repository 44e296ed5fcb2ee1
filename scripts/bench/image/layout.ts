const MiB = 1024 * 1024;

/** Where the two partitions of the benchmark's image lie, in bytes. */
export interface Layout {
  readonly sizeBytes: number;
  readonly boot: { readonly offsetBytes: number; readonly lengthBytes: number; readonly sectorsPerCluster: number };
  readonly root: { readonly offsetBytes: number; readonly lengthBytes: number };
}

/**
 * Lays an image out as Raspberry Pi OS does: an MBR, 4 MiB, a FAT32 for the firmware, and ext4 for all that is left.
 */
export function layoutOf(sizeBytes: number): Layout {
  const start = 4 * MiB;
  // FAT32 wants at least 65,525 clusters (mtools insists).
  const boot = { offsetBytes: start, lengthBytes: 192 * MiB, sectorsPerCluster: 4 };
  const offsetBytes = boot.offsetBytes + boot.lengthBytes;
  if (sizeBytes % MiB !== 0 || sizeBytes < 512 * MiB)
    throw new Error("an image's size must be a whole number of MiB, at least 512");
  return { sizeBytes, boot, root: { offsetBytes, lengthBytes: sizeBytes - offsetBytes } };
}
