import { mkdir, open, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";

const MiB = 1024 * 1024;

/** Length of a partition; XFS and btrfs cannot be smaller. */
const lengths = { vfat: 4 * MiB, ext4: 8 * MiB, xfs: 64 * MiB, btrfs: 64 * MiB, squashfs: MiB, nothing: 4 * MiB };

/** Content of a filesystem by path: a file's text or bytes, or where a symbolic link points. */
export type Tree = Readonly<Record<string, string | Buffer | { readonly link: string }>>;

/** A partition of a small image. */
export interface SmallPartition {
  readonly filesystem: "vfat" | "ext4" | "xfs" | "btrfs" | "squashfs" | "nothing";
  readonly label?: string;
  readonly tree?: Tree;
}

/** Bytes that are long enough to need several blocks, with the magic number that makes a kernel of them. */
function aKernel(magic: string | Buffer, at: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
  Buffer.from(magic).copy(bytes, at);
  return bytes;
}

/** A 64-bit ARM kernel, as U-Boot and firmware take it. */
export const kernelBytes: Buffer = aKernel("ARM\x64", 56);
/** A 32-bit one, which only the firmware takes. */
export const narrowKernelBytes: Buffer = aKernel(Buffer.from("18286f01", "hex"), 36);
/** One that only UEFI unpacks. */
export const zbootKernelBytes: Buffer = aKernel("MZ\0\0zimg", 0);

/** Files of a FAT partition as Raspberry Pi OS has them. */
export const bootTree: Tree = {
  "config.txt": "auto_initramfs=1\narm_64bit=1\n",
  "cmdline.txt": "console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 rootwait\n",
  "kernel8.img": kernelBytes,
  initramfs8: "initial RAM disk",
  "bcm2711-rpi-4-b.dtb": "device tree",
};

/** The least that makes a root filesystem. */
export const rootTree: Tree = {
  "etc/os-release": { link: "../usr/lib/os-release" },
  "usr/lib/os-release": 'PRETTY_NAME="Small System 1"\n',
  "usr/lib/systemd/systemd": "program",
  "sbin/init": { link: "/lib/systemd/systemd" },
};

/**
 * Makes a real disk image of 4 MiB FAT and 8 MiB ext4 partitions at `path`, with sfdisk, mkfs.vfat, mtools and mke2fs;
 * XFS and btrfs of 64 MiB stay empty. The disk id of an MBR is 4e639091.
 */
export async function makeSmallImage(
  path: string,
  partitions: readonly SmallPartition[],
  table: "dos" | "gpt" = "dos",
): Promise<void> {
  const placed: (SmallPartition & { readonly offset: number; readonly length: number })[] = [];
  let offset = MiB;
  for (const partition of partitions) {
    const length = lengths[partition.filesystem];
    placed.push({ ...partition, offset, length });
    offset += length;
  }
  const file = await open(path, "wx");
  await file.truncate(offset + MiB);
  await file.close();
  const script = [
    `label: ${table}`,
    ...(table === "dos" ? ["label-id: 0x4e639091"] : []),
    ...placed.map(({ offset: start, length }) => `start=${start / 512}, size=${length / 512}`),
  ];
  await execa("sfdisk", ["--quiet", path], { input: `${script.join("\n")}\n` });
  for (const { filesystem, label = "", tree = {}, offset: start, length } of placed) {
    if (filesystem === "nothing") continue;
    if (filesystem === "squashfs") {
      await writeAt(path, start, squashfsSuperblock);
      continue;
    }
    if (filesystem === "xfs" || filesystem === "btrfs") {
      const part = `${path}.part`;
      await execa("truncate", ["--size", String(length), part]);
      // Both are meant for disks of some hundred MiB or more.
      await (filesystem === "xfs"
        ? execa("mkfs.xfs", ["--unsupported", "-q", part])
        : execa("mkfs.btrfs", ["-q", "--mixed", part]));
      await execa("dd", [`if=${part}`, `of=${path}`, "bs=1M", `seek=${start / MiB}`, "conv=notrunc,sparse"]);
      await rm(part);
      continue;
    }
    const folder = `${path}.tree`;
    await writeTree(folder, tree);
    if (filesystem === "vfat") {
      const size = String(length / 1024);
      await execa("mkfs.vfat", [...(label ? ["-n", label] : []), `--offset=${start / 512}`, path, size]);
      const names = [...new Set(Object.keys(tree).map((name) => name.split("/")[0] ?? ""))];
      if (names.length > 0) {
        await execa("mcopy", ["-s", "-i", `${path}@@${start}`, ...names.map((name) => join(folder, name)), "::"]);
      }
    } else {
      const extended = `offset=${start},root_owner=0:0`;
      await execa("mke2fs", [
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        label,
        "-d",
        folder,
        "-E",
        extended,
        path,
        `${length / 1024}k`,
      ]);
    }
    await rm(folder, { recursive: true });
  }
}

/** Enough to be recognised: nobody looks into one. Magic at 0, version 4.0 at 28, length at 40. */
const squashfsSuperblock = Buffer.alloc(4096);
squashfsSuperblock.write("hsqs", 0, "latin1");
squashfsSuperblock.writeUInt16LE(4, 28);
squashfsSuperblock.writeUInt32LE(4096, 40);

async function writeAt(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, "r+");
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

async function writeTree(folder: string, tree: Tree): Promise<void> {
  await mkdir(folder);
  for (const [path, content] of Object.entries(tree)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) await writeFile(join(folder, path), content);
    else await symlink(content.link, join(folder, path));
  }
}
