import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { runTool } from "../../controller/artefacts/run-tool.ts";
import type { Rootfs, RootfsManifest } from "../../controller/rootfs/build-rootfs.ts";

/**
 * Packs a version of the root filesystem, with its owners, so that "controller rootfs unpack" brings it in. The same content and
 * time give the same bytes.
 *
 * @param packageName what puts it on a machine, and removes it again by that name in its manifest
 * @param epoch time of everything in it, in seconds since the epoch
 */
export async function packRootfs(
  { folder, rootFolder }: Pick<Rootfs, "folder" | "rootFolder">,
  { archive, packageName, epoch }: { readonly archive: string; readonly packageName: string; readonly epoch: number },
): Promise<void> {
  const file = path.join(folder, "manifest.json");
  const built = JSON.parse(await readFile(file, "utf8")) as RootfsManifest;
  // What its files take differs with the filesystem that they are on.
  const manifest = {
    ...built,
    root: { ...built.root, sizeBytes: await contentBytes(rootFolder) },
    package: packageName,
  };
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
  const keep = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--format=posix"];
  const same = [
    "--sort=name",
    `--mtime=@${epoch}`,
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
  ];
  const names = ["manifest.json", "device-trees", "initrd.img", "root", "vmlinuz"];
  await runTool("the root filesystem could not be packed", [
    "tar",
    "--create",
    "--file",
    archive,
    "--use-compress-program=zstd -3 -T1",
    ...keep,
    ...same,
    "--directory",
    folder,
    ...names,
  ]);
}

/** Bytes in the files of a folder. */
async function contentBytes(folder: string): Promise<number> {
  const sizes = await runTool("the root filesystem could not be measured", [
    "find",
    folder,
    "-type",
    "f",
    "-printf",
    "%s\\n",
  ]);
  return sizes.split("\n").reduce((sum, size) => sum + Number(size), 0);
}
