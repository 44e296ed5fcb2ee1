import { hash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import type { Customisation } from "../../../../proto/operation/operation-spec.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { type APack, aPack } from "./a-pack.ts";

const mebibyte = 1024 * 1024;

/** A small but real image: an MBR, a FAT partition and an ext4 root with a folder /etc. */
export interface SystemImage {
  readonly image: Buffer;
  readonly pack: APack;
  readonly customisation: Customisation;
}

/** Builds it without mounting. */
export async function aSystemImage(): Promise<SystemImage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-image-"));
  try {
    const file = path.join(folder, "image");
    const root = { offsetBytes: 5 * mebibyte, lengthBytes: 12 * mebibyte, filesystemType: "ext4" };
    await writeFile(file, "");
    await truncate(file, 17 * mebibyte);
    const script = `label: dos\nstart=${mebibyte / 512}, size=${(4 * mebibyte) / 512}, type=c\nstart=${root.offsetBytes / 512}, type=83\n`;
    await execa("sfdisk", ["--quiet", file], { input: script });
    await execa("mkfs.vfat", ["--offset", String(mebibyte / 512), file, String(4 * 1024)]);
    await mkdir(path.join(folder, "tree", "etc"), { recursive: true });
    await writeFile(path.join(folder, "tree", "etc", "hostname"), "test\n");
    await execa("mke2fs", [
      ...["-q", "-t", "ext4", "-d", path.join(folder, "tree")],
      ...["-E", `offset=${root.offsetBytes}`, file, `${root.lengthBytes / 1024}k`],
    ]);
    const image = await readFile(file);
    const pack = aPack(image);
    const digest = hash("sha256", image) as ImageDigest;
    return {
      image,
      pack,
      customisation: {
        root,
        stamp: { imageName: "test", imageDigest: digest, reimageId: "r1", installedAt: "2026-01-01T00:00:00.000Z" },
        resident: false,
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
