import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flushBuffers } from "../../../agent/linux/flush-buffers.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { type Layout, layoutOf } from "./layout.ts";

/**
 * Throws unless the root filesystem on a card holds the same files, with the same metadata and content, as that of an
 * image, wherever they lie.
 */
export async function compareTrees(device: string, image: string, sizeBytes: number): Promise<void> {
  const layout = layoutOf(sizeBytes);
  // What the page cache has of the device may be older than what was written past it.
  await flushBuffers({ device });
  await withRoot(image, layout, (expected) =>
    withRoot(device, layout, async (found) => {
      const rsync = ["--archive", "--hard-links", "--acls", "--xattrs", "--checksum", "--delete", "--dry-run"];
      const { stdout } = await execa("rsync", [...rsync, "--itemize-changes", `${expected}/`, `${found}/`]);
      if (stdout !== "") throw new Error(`the card's files differ from those of the image: ${stdout.slice(0, 500)}`);
    }),
  );
}

async function withRoot(image: string, { root }: Layout, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-bench-"));
  const options = `loop,ro,noatime,offset=${root.offsetBytes},sizelimit=${root.lengthBytes}`;
  try {
    await execa("mount", ["-t", "ext4", "-o", options, image, folder]);
    try {
      await work(folder);
    } finally {
      await execa("umount", [folder]);
    }
  } finally {
    await rmdir(folder);
  }
}
