import { parseRootIds, type RootIds } from "../../proto/node/root-ids.ts";
import type { Image } from "../images/catalogue/image.ts";
import { rootPartitionOf } from "../images/catalogue/image.ts";

/**
 * How `root=` names the root filesystem in a local boot, by what can change least under us. Undefined when it has no
 * name at all.
 *
 * With an initrd that is the filesystem's own UUID: a first boot often gives the disk another id and moves the end of
 * the partition, and leaves that alone. All initrds that people have resolve it (initramfs-tools by blkid, dracut by
 * udev, Alpine's nlplug-findfs, tiny-initramfs, busybox's findfs). The kernel by itself knows no filesystem's UUID
 * (block/early-lookup.c), so without an initrd it is the PARTUUID. So it is for a filesystem that has no UUID, and for
 * one whose UUID another disk of the node has too.
 *
 * @param seen the ids as they are on the node's card now; undefined before anybody has reported them: the image's own
 */
export function chooseRootWord(
  image: Pick<Image, "name" | "partitions" | "rootPartition" | "partitionTable" | "boot">,
  seen: RootIds | undefined,
): string | undefined {
  const root = rootPartitionOf(image);
  const ids = parseRootIds(seen ?? { partitionUuid: root.partitionUuid, filesystemUuid: root.uuid });
  const byFilesystem = ids.filesystemUuid === "" ? undefined : `root=UUID=${ids.filesystemUuid}`;
  const byPartition = ids.partitionUuid === "" ? undefined : `root=PARTUUID=${ids.partitionUuid}`;
  if (image.boot.initrd === undefined) {
    // The kernel forms it from a disk id of 0 too (block/partitions/msdos.c), of which libblkid makes none.
    const ofNoDiskId = `root=PARTUUID=00000000-${root.number.toString(16).padStart(2, "0")}`;
    return byPartition ?? (image.partitionTable === "mbr" ? ofNoDiskId : undefined);
  }
  const partitionIsSafer = ids.filesystemUuidShared === true && ids.partitionUuidShared !== true;
  return partitionIsSafer ? (byPartition ?? byFilesystem) : (byFilesystem ?? byPartition);
}
