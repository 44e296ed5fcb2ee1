import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "../proto/linux/leashed-execa.ts";

const MiB = 1024 * 1024;

/** A disk image in the layout of Raspberry Pi OS, small enough to be written to twenty cards in a test. */
export interface TinyImage {
  readonly path: string;
  readonly sizeBytes: number;
  readonly boot: { readonly offsetBytes: number; readonly lengthBytes: number };
  readonly root: { readonly offsetBytes: number; readonly lengthBytes: number };
  /** First line of its /etc/tiny-image. */
  readonly marker: string;
}

/** What of an image differs from others. */
export interface TinyImageOptions {
  /** Folder to make it in. */
  readonly folder: string;
  readonly name: string;
  /** Bytes in its root filesystem that do not compress, so that fetching them takes time. Default 0. */
  readonly bulkBytes?: number;
  /** Whether its FAT partition holds firmware that boards boot by themselves. Default false. */
  readonly firmware?: boolean;
  /** Whether its kernel has an initrd. Default true. */
  readonly initrd?: boolean;
  /** A shell script that the system runs at each boot before its services, with the card's device as its argument. */
  readonly firstBoot?: string;
  /** Disk id of its MBR, eight hexadecimal digits. Default: a random one. */
  readonly diskId?: string;
  /** Words at the end of its kernel command line. */
  readonly commandLineEnd?: string;
  /** Whether an agent could be started by it: it has an inittab. Default true. */
  readonly startsAgents?: boolean;
  /** More files of its root filesystem, by their paths without a slash at the beginning. */
  readonly files?: Readonly<Record<string, string | Buffer | { readonly text: string; readonly mode: number }>>;
  /** Room in its root filesystem besides the usual 14 MiB. Default 0. */
  readonly roomBytes?: number;
  /** Raspberry Pi's own kernel, of so many bits, with its device trees and overlays. Default: an upstream kernel. */
  readonly raspberryPi?: 32 | 64;
}

/** Bytes that U-Boot takes for an arm64 kernel (Documentation/arch/arm64/booting.rst). */
export function fakeKernel(sizeBytes = 64 * 1024): Buffer {
  const kernel = randomBytes(sizeBytes);
  kernel.write("ARM\x64", 0x38, "latin1");
  return kernel;
}

/** Bytes that the firmware takes for a 32-bit kernel (arch/arm/boot/compressed/head.S). */
function fakeZImage(sizeBytes = 64 * 1024): Buffer {
  const kernel = randomBytes(sizeBytes);
  kernel.writeUInt32LE(0x016f2818, 0x24);
  return kernel;
}

/** The boot partition of Raspberry Pi OS in small, with settings of a person's in its config.txt. */
function raspberryPiFiles(bits: 32 | 64): Readonly<Record<string, string | Buffer>> {
  const kernels = { 32: ["kernel7.img", "kernel7l.img"], 64: ["kernel8.img", "kernel_2712.img"] }[bits];
  const initrds = kernels.map((name) => name.replace("kernel", "initramfs").replace(".img", ""));
  const trees = ["bcm2710-rpi-3-b", "bcm2710-rpi-3-b-plus", "bcm2711-rpi-4-b", "bcm2712-rpi-5-b"];
  return {
    ...Object.fromEntries(kernels.map((name) => [name, bits === 32 ? fakeZImage() : fakeKernel()])),
    ...Object.fromEntries(initrds.map((name) => [name, randomBytes(16 * 1024)])),
    ...Object.fromEntries(trees.map((name) => [`${name}.dtb`, `device tree ${name}\n`])),
    "overlays/README": "about overlays\n",
    "overlays/overlay_map.dtb": "map\n",
    "overlays/vc4-kms-v3d.dtbo": "overlay\n",
    "overlays/rpi-poe.dtbo": "overlay\n",
    "usercfg.txt": "dtparam=i2c_arm=on\n",
    "config.txt": [
      "dtparam=audio=on",
      "auto_initramfs=1",
      "dtoverlay=vc4-kms-v3d",
      ...(bits === 32 ? ["arm_64bit=0"] : []),
      "include usercfg.txt",
      "[pi4]",
      "dtoverlay=rpi-poe",
      "[pi5]",
      "dtparam=pciex1",
      "",
    ].join("\n"),
  };
}

/**
 * Makes an image: MBR, FAT16 "bootfs" with kernel and initrd, ext4 "rootfs" with os-release and init. Nothing is
 * mounted.
 */
export async function makeTinyImage({
  folder,
  name,
  bulkBytes = 0,
  firmware = false,
  initrd = true,
  firstBoot,
  commandLineEnd = "",
  diskId = randomBytes(4).toString("hex"),
  startsAgents = true,
  raspberryPi,
  files = {},
  roomBytes = 0,
}: TinyImageOptions): Promise<TinyImage> {
  const image = path.join(folder, `${name}.img`);
  const boot = { offsetBytes: MiB, lengthBytes: 8 * MiB };
  const root = { offsetBytes: 9 * MiB, lengthBytes: 14 * MiB + Math.ceil((bulkBytes + roomBytes) / MiB) * MiB };
  const sizeBytes = root.offsetBytes + root.lengthBytes + MiB;
  const sectors = (bytes: number) => String(bytes / 512);

  const file = await open(image, "wx");
  await file.truncate(sizeBytes);
  await file.close();
  const table = [
    "label: dos",
    `label-id: 0x${diskId}`,
    `start=${sectors(boot.offsetBytes)}, size=${sectors(boot.lengthBytes)}, type=c`,
    `start=${sectors(root.offsetBytes)}, size=${sectors(root.lengthBytes)}, type=83`,
  ];
  await execa("sfdisk", ["--quiet", "--no-tell-kernel", image], { input: `${table.join("\n")}\n` });

  const parts = path.join(folder, `${name}.parts`);
  const upstream = {
    "vmlinuz-6.1.0-tiny": fakeKernel(),
    ...(initrd && { "initrd.img-6.1.0-tiny": randomBytes(16 * 1024) }),
    "config.txt": `arm_64bit=1\nkernel=vmlinuz-6.1.0-tiny\n${initrd ? "initramfs initrd.img-6.1.0-tiny followkernel\n" : ""}`,
  };
  const console = raspberryPi === undefined ? "console=ttyAMA0,115200" : "console=serial0,115200 console=tty1";
  const bootTree: Readonly<Record<string, string | Buffer>> = {
    ...(raspberryPi === undefined ? upstream : raspberryPiFiles(raspberryPi)),
    "cmdline.txt": `${console} root=PARTUUID=${diskId}-02 rootfstype=ext4 rootwait panic=10${commandLineEnd}\n`,
    ...(firmware && { "bootcode.bin": randomBytes(52 * 1024), "start.elf": randomBytes(96 * 1024) }),
  };
  await writeTree(path.join(parts, "boot"), bootTree);
  const fat = ["-F", "16", "-s", "1", "-n", "bootfs", "-i", diskId, `--offset=${sectors(boot.offsetBytes)}`];
  await execa("mkfs.vfat", [...fat, image, String(boot.lengthBytes / 1024)]);
  const entries = new Set(Object.keys(bootTree).map((entry) => entry.split("/")[0] ?? ""));
  const bootFiles = [...entries].map((entry) => path.join(parts, "boot", entry));
  await execa("mcopy", ["-i", `${image}@@${boot.offsetBytes}`, "-s", "-m", ...bootFiles, "::"]);

  const tree = path.join(parts, "root");
  await writeTree(tree, {
    "etc/os-release": `PRETTY_NAME="Tiny ${name}"\nNAME="Tiny"\nID=tiny\nVERSION_ID="1"\n`,
    "etc/hostname": `${name}\n`,
    "etc/fstab": `PARTUUID=${diskId}-02 / ext4 defaults 0 1\n`,
    "etc/tiny-image": `${name}\n`,
    ...(startsAgents && { "etc/inittab": "id:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n" }),
    "usr/sbin/init": "#!/bin/sh\n",
    ...(firstBoot !== undefined && { "etc/first-boot.sh": firstBoot }),
    ...(bulkBytes > 0 && { "var/bulk": randomBytes(bulkBytes) }),
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, contentOf(file)])),
  });
  for (const [name, file] of Object.entries(files))
    if (typeof file === "object" && "mode" in file) await chmod(path.join(tree, name), file.mode);
  await chmod(path.join(tree, "usr/sbin/init"), 0o755);
  for (const name of ["bin", "lib"]) await mkdir(path.join(tree, "usr", name), { recursive: true });
  for (const name of ["bin", "sbin", "lib"]) await execa("ln", ["-s", `usr/${name}`, path.join(tree, name)]);
  for (const name of ["proc", "sys", "dev", "run", "tmp", "boot/firmware"]) {
    await mkdir(path.join(tree, name), { recursive: true });
  }
  const extended = `offset=${root.offsetBytes},root_owner=0:0,nodiscard`;
  const rootKiB = `${root.lengthBytes / 1024}k`;
  await execa("mke2fs", ["-q", "-F", "-t", "ext4", "-L", "rootfs", "-d", tree, "-E", extended, image, rootKiB]);
  await rm(parts, { recursive: true });
  return { path: image, sizeBytes, boot, root, marker: name };
}

function contentOf(file: string | Buffer | { readonly text: string }): string | Buffer {
  return typeof file === "object" && "text" in file ? file.text : file;
}

async function writeTree(folder: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
}

/** Bytes of the image. */
export async function readImage(
  image: TinyImage,
  range: { offsetBytes: number; lengthBytes: number },
): Promise<Buffer> {
  return (await readFile(image.path)).subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}
