import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { isExt } from "../../proto/linux/ext-filesystem.ts";
import { openForeignSpace } from "../images/derive/foreign-space.ts";
import { findRootPartition } from "../images/import/examine-image.ts";

/** An image file of a whole card, not compressed. */
export interface ImageRoot {
  readonly imagePath: string;
  readonly access: "read-only" | "read-write";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Mounts the root filesystem of an image, for this process alone and no longer than it lives, while `work` runs. fuse2fs(1)
 * reads it, in a place of its own (see ForeignSpace): not the kernel, and not debugfs(8), whose rdump loses hard links,
 * extended attributes and devices. Nothing of it can run, and its device files lead nowhere. Needs root and /dev/fuse.
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
  const isRead = access === "read-only";
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
    const space = await openForeignSpace(mountpoint, [{ path: imagePath, as: "image.raw" }]);
    try {
      const access = isRead ? "read" : "write";
      const mount = { file: "/image.raw", offsetBytes: root.offsetBytes, access, at: "root", signal } as const;
      const mounted = await space.mount(mount).catch((cause: unknown) => {
        if (signal?.aborted) throw new Failure("cancelled", "cancelled", { cause: signal.reason });
        const said = Failure.from(cause).message;
        throw new Failure("tool-failed", `the root filesystem of ${imagePath} cannot be mounted: ${said}`, { cause });
      });
      const result = await work(space.pathOf(mounted.path), root.number);
      // What could not be written back is an error here, and would be nobody's when the namespace just ends.
      await mounted.close();
      return result;
    } finally {
      await space.close();
    }
  } finally {
    await rmdir(mountpoint).catch(() => undefined);
    await rmdir(temporary).catch(() => undefined);
  }
}
