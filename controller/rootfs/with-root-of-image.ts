import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { isExt } from "../../proto/linux/ext-filesystem.ts";
import { renderForeignMount } from "../../proto/linux/render-foreign-mount.ts";
import { openMountSpace } from "../images/derive/mount-space.ts";
import { findRootPartition } from "../images/import/examine-image.ts";

/** An image file of a whole card, not compressed. */
export interface ImageRoot {
  readonly imagePath: string;
  readonly access: "read-only" | "read-write";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Mounts the root filesystem of an image, for this process alone and no longer than it lives, while `work` runs. The
 * kernel's own driver reads it, not debugfs(8), whose rdump loses hard links, extended attributes and devices. Nothing
 * of it can run, and its device files lead nowhere. Needs root and loop devices.
 *
 * Throws a Failure: `unsupported` when the root is not found or is not an ext filesystem, `image-damaged`,
 * `tool-failed`, `cancelled`.
 *
 * @param work gets the folder and the number of the partition
 */
export async function withRootOfImage<T>(
  { imagePath, access, signal }: ImageRoot,
  work: (folder: string, partition: number) => Promise<T>,
): Promise<T> {
  const temporary = await mkdtemp(join(tmpdir(), "pallet-image-"));
  const mountpoint = join(temporary, "root");
  try {
    const findings = await findRootPartition(imagePath, signal);
    const root = findings.partitions.find(({ number }) => number === findings.rootPartition);
    if (root === undefined || !isExt(root.filesystemType))
      throw new Failure("unsupported", `the root filesystem of ${imagePath} is ${root?.filesystemType ?? "unknown"}`, {
        expected: "ext2, ext3 or ext4",
        found: root?.filesystemType ?? "nothing",
      });
    await mkdir(mountpoint);
    const { type, options } = renderForeignMount(root, access === "read-only" ? "read" : "write");
    const space = await openMountSpace();
    try {
      const args = ["--types", type, "--options", options, imagePath, mountpoint];
      // Not to be cancelled: mount(8) ended by a signal may have mounted already.
      await space.run("mount", args, {}).catch((cause: unknown) => {
        const said = Failure.from(cause).message;
        throw new Failure("tool-failed", `the root filesystem of ${imagePath} cannot be mounted: ${said}`, { cause });
      });
      if (signal?.aborted) throw new Failure("cancelled", "cancelled", { cause: signal.reason });
      const result = await work(space.pathOf(mountpoint), root.number);
      // What could not be written back is an error here, and would be nobody's when the namespace just ends.
      await space.run("umount", [mountpoint], {});
      return result;
    } finally {
      await space.close();
    }
  } finally {
    await rmdir(mountpoint).catch(() => undefined);
    await rmdir(temporary).catch(() => undefined);
  }
}
