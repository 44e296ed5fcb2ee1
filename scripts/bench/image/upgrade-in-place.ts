import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Layout, layoutOf } from "./layout.ts";

/** A copy of `image` whose files have become those of `upgraded`, each block that stayed the same in its old place. */
export async function upgradeInPlace(
  image: string,
  upgraded: string,
  target: string,
  sizeBytes: number,
): Promise<void> {
  const layout = layoutOf(sizeBytes);
  await execa("cp", ["--sparse=always", image, target]);
  await withRoot(upgraded, layout, "ro", (from) =>
    withRoot(target, layout, "rw", async (into) => {
      const rsync = ["--archive", "--hard-links", "--acls", "--xattrs", "--checksum", "--inplace", "--no-whole-file"];
      await execa("rsync", [...rsync, "--delete", `${from}/`, `${into}/`]);
    }),
  );
}

async function withRoot(
  image: string,
  { root }: Layout,
  mode: "ro" | "rw",
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-bench-"));
  const options = `loop,${mode},noatime,offset=${root.offsetBytes},sizelimit=${root.lengthBytes}`;
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
