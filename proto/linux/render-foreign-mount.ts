import { isExt } from "./ext-filesystem.ts";

/** A foreign filesystem, in an image or on a disk without a partition table. */
export interface ForeignFilesystem {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** As blkid(8) names it. */
  readonly filesystemType: string;
}

/**
 * How it is mounted. "read": nothing is written, no journal is replayed. "write": nothing is written but what is placed
 * there. "write-without-journal": the same by ext4 alone, for a sound filesystem near which nobody can pull the plug;
 * its journal stays as it is, too.
 */
export type ForeignAccess = "read" | "write" | "write-without-journal";

/**
 * The words for `mount --types … --options …` (mount(8), ext4(5)), through a loop device that goes with the mount.
 * Nothing of what is mounted can run, and its device files lead nowhere.
 *
 * Of ext filesystems: the kernel's one driver for all of them is asked for, except that an ext2 to be read has no
 * journal to leave alone; and inode tables are not initialised in the background.
 */
export function renderForeignMount(
  { offsetBytes, lengthBytes, filesystemType }: ForeignFilesystem,
  access: ForeignAccess,
): { readonly type: string; readonly options: string } {
  const hasExtDriver = isExt(filesystemType);
  const isPlainExt2 = filesystemType === "ext2" && access === "read";
  const options = [
    access === "read" ? "ro" : "rw",
    ...["loop", `offset=${offsetBytes}`, `sizelimit=${lengthBytes}`],
    ...["nosuid", "nodev", "noexec", "noatime"],
    ...(hasExtDriver && access !== "read" ? ["noinit_itable"] : []),
    ...(hasExtDriver && !isPlainExt2 && access !== "write" ? ["noload"] : []),
  ];
  return { type: hasExtDriver && !isPlainExt2 ? "ext4" : filesystemType, options: options.join(",") };
}
