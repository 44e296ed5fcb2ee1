import { open } from "node:fs/promises";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import type { Layout } from "./layout.ts";

/** What makes up one image. */
export interface ImageContent {
  readonly layout: Layout;
  readonly rootFolder: string;
  /** Files of the FAT partition, all in its root. */
  readonly bootFiles: readonly string[];
  /** MBR disk id: eight hexadecimal digits. */
  readonly diskId: string;
  readonly rootUuid: string;
}

/**
 * Writes a raw disk image without mounting anything: sfdisk(8), mkfs.vfat(8) and mke2fs(8) take an offset, mtools(1)
 * copies into the FAT. The file is sparse where nothing was written.
 */
export async function makeImage(path: string, { layout, ...content }: ImageContent): Promise<void> {
  const { boot, root } = layout;
  const file = await open(path, "wx");
  await file.truncate(layout.sizeBytes);
  await file.close();

  const sectors = (bytes: number) => String(bytes / 512);
  const table = [
    "label: dos",
    `label-id: 0x${content.diskId}`,
    `start=${sectors(boot.offsetBytes)}, size=${sectors(boot.lengthBytes)}, type=c`,
    `start=${sectors(root.offsetBytes)}, size=${sectors(root.lengthBytes)}, type=83`,
  ];
  await execa("sfdisk", ["--quiet", "--no-tell-kernel", path], { input: `${table.join("\n")}\n` });

  const fat = ["-F", "32", "-s", String(boot.sectorsPerCluster), "-n", "bootfs", "-i", content.diskId];
  await execa("mkfs.vfat", [...fat, `--offset=${sectors(boot.offsetBytes)}`, path, String(boot.lengthBytes / 1024)]);
  await execa("mcopy", ["-i", `${path}@@${boot.offsetBytes}`, "-m", ...content.bootFiles, "::"]);

  const extended = `offset=${root.offsetBytes},hash_seed=${content.rootUuid},root_owner=0:0,nodiscard`;
  await execa("mke2fs", [
    ...["-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", "rootfs", "-U", content.rootUuid],
    ...["-d", content.rootFolder, "-E", extended, path, `${root.lengthBytes / 1024}k`],
  ]);
}
