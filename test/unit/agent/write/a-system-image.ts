import { hash, randomBytes } from "node:crypto";
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

/** How it differs from the usual one. */
export interface SystemImageOptions {
  readonly table?: "dos" | "gpt";
  /** Lines for the head of sfdisk's script. */
  readonly head?: string;
  readonly rootMib?: number;
  readonly filesystemType?: "ext2" | "ext3" | "ext4";
  /** More options for mke2fs. */
  readonly mke2fs?: readonly string[];
  /** Bytes that do not compress, in a file of the root filesystem. */
  readonly ballastBytes?: number;
  /** Files by their paths in the root filesystem, and in the FAT. */
  readonly files?: Readonly<Record<string, string>>;
  readonly bootFiles?: Readonly<Record<string, string>>;
}

/** Builds it without mounting. */
export async function aSystemImage(options: SystemImageOptions = {}): Promise<SystemImage> {
  const { filesystemType = "ext4" } = options;
  const { table = "dos", head = "", rootMib = 12, mke2fs = [], ballastBytes = 0, files = {}, bootFiles = {} } = options;
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-image-"));
  try {
    const file = path.join(folder, "image");
    const root = { offsetBytes: 5 * mebibyte, lengthBytes: rootMib * mebibyte, filesystemType };
    await writeFile(file, "");
    await truncate(file, root.offsetBytes + root.lengthBytes + (table === "gpt" ? mebibyte : 0));
    const [boot, linux] = table === "gpt" ? ["U", "L"] : ["c", "83"];
    const script =
      `label: ${table}\n${head}start=${mebibyte / 512}, size=${(4 * mebibyte) / 512}, type=${boot}\n` +
      `start=${root.offsetBytes / 512}, size=${root.lengthBytes / 512}, type=${linux}\n`;
    await execa("sfdisk", ["--quiet", file], { input: script });
    await execa("mkfs.vfat", ["--offset", String(mebibyte / 512), file, String(4 * 1024)]);
    for (const [name, content] of Object.entries(bootFiles))
      await execa("mcopy", ["-i", `${file}@@${mebibyte}`, "-", `::/${name}`], { input: content });
    await mkdir(path.join(folder, "tree", "etc"), { recursive: true });
    await writeFile(path.join(folder, "tree", "etc", "hostname"), "test\n");
    if (ballastBytes > 0) await writeFile(path.join(folder, "tree", "ballast"), randomBytes(ballastBytes));
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, "tree", name), content);
    await execa("mke2fs", [
      ...["-q", "-t", filesystemType, ...mke2fs, "-d", path.join(folder, "tree")],
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
