import type { BlockDevice } from "../../proto/disk/block-device.ts";

/** More partitions than this are not looked at. */
const most = 16;
const readable = new Set(["ext2", "ext3", "ext4"]);

/**
 * Partitions that may hold the root of an installed system, and that can be read without mounting: those with an ext
 * filesystem that nobody uses. Of other filesystems nothing is known.
 */
export function selectStampable(
  devices: readonly BlockDevice[],
): readonly { readonly disk: string; readonly device: string }[] {
  return devices
    .flatMap((disk) => disk.children.map((partition) => ({ disk, partition })))
    .filter(({ partition }) => partition.type === "part" && readable.has(partition.filesystemType))
    .filter(({ partition }) => partition.mountpoints.length === 0 && partition.children.length === 0)
    .slice(0, most)
    .map(({ disk, partition }) => ({ disk: disk.path, device: partition.path }));
}
