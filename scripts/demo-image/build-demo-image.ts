import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { defaultSuite } from "../../controller/artefacts/debian-defaults.ts";
import { digestModule } from "../../controller/artefacts/digest-module.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { type BaseSystem, baseSystemIn, buildBase } from "./build-base.ts";
import { writeBootFiles, writeDiskImage } from "./write-disk-image.ts";

/** What image to build, and where built ones are kept. */
export interface DemoImageRequest {
  /** Folder for finished images and for the unpacked system that they share. */
  readonly cacheDirectory: string;
  /** Goes into PRETTY_NAME of os-release and into /etc/pallet-demo-image; [a-z0-9._-]. */
  readonly name: string;
  /** A second image of the same name differs by this; default "1"; [A-Za-z0-9._-]. */
  readonly version?: string;
  /** Debian suite. */
  readonly suite?: string;
  /** Called with one line before anything that takes time. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A finished image and its parts, all in one folder of the cache; read-only, shared with other runs. */
export interface DemoImage {
  /** Raw disk image: MBR, FAT32 "bootfs" (partition 1), ext4 "rootfs" (partition 2); sparse. */
  readonly imagePath: string;
  /** Lower-case hexadecimal SHA-256 of the raw image. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** The kernel (arm64, not compressed) and initrd that are on its FAT partition. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** PRETTY_NAME in its /etc/os-release. */
  readonly prettyName: string;
  /** PARTUUID of the root partition. */
  readonly rootPartitionUuid: string;
}

/**
 * Builds the demo's Debian arm64 image, or finds it in the cache. Needs root and Debian's packages (mmdebstrap, kmod,
 * fdisk, dosfstools, mtools, e2fsprogs); the first image takes about half a minute, another one of the same suite a few
 * seconds, one that is in the cache no time. Two images that differ by name or version differ in os-release, disk id
 * and filesystem UUIDs, and in /etc/pallet-demo-image, which holds the line "<name> <version>".
 *
 *     const { imagePath, digest } = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo" });
 *
 * It boots: `pallet demo image <name> is up` appears on the console, then a shell.
 */
export async function buildDemoImage(request: DemoImageRequest): Promise<DemoImage> {
  const { name, version = "1", suite = defaultSuite, log = () => {}, signal } = request;
  const cacheDirectory = resolve(request.cacheDirectory);
  for (const word of [name, version, suite])
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(word)) throw new Error(`demo image: bad name or version "${word}"`);
  const baseKey = await keyOfBase(suite);
  const imageKey = shortDigest(["image", baseKey, name, version]);

  const folder = await cacheEntry(cacheDirectory, `image-${name}-${version}-${imageKey}`, async (building) => {
    const base = await provideBase({ cacheDirectory, suite, log, ...(signal && { signal }) });
    log(`demo image: writing ${name} ${version}`);
    await buildImage(building, base, { name, version, diskId: imageKey.slice(0, 8) }, signal);
  });
  const description: Omit<DemoImage, `${string}Path`> & { kernel: string; initrd: string } = JSON.parse(
    await readFile(join(folder, "description.json"), "utf8"),
  );
  const { kernel, initrd, ...rest } = description;
  return {
    ...rest,
    imagePath: join(folder, "disk.img"),
    kernelPath: join(folder, kernel),
    initrdPath: join(folder, initrd),
  };
}

/** Builds what the demo's images of a suite share, or finds it in the cache; half a minute the first time. Read-only. */
export async function provideBase(
  request: Required<Pick<DemoImageRequest, "cacheDirectory" | "suite" | "log">> & Pick<DemoImageRequest, "signal">,
): Promise<BaseSystem> {
  const { cacheDirectory, suite, log, signal } = request;
  const folder = await cacheEntry(cacheDirectory, `base-${suite}-${await keyOfBase(suite)}`, async (base) => {
    log(`demo image: unpacking Debian ${suite} for arm64 (once, about half a minute)`);
    await buildBase(base, suite, signal);
  });
  return baseSystemIn(folder);
}

/** Changes with all that decides what a base looks like. */
export async function keyOfBase(suite: string): Promise<string> {
  return shortDigest(["base", suite, await digestOfSources()]);
}

async function buildImage(
  folder: string,
  base: BaseSystem,
  image: { readonly name: string; readonly version: string; readonly diskId: string },
  signal?: AbortSignal,
): Promise<void> {
  const rootFolder = join(folder, "root");
  const bootFolder = join(folder, "boot");
  // Hard links make the copy free; every file that differs is therefore replaced, never written through.
  await execa("cp", ["--archive", "--link", base.rootFolder, rootFolder]);
  const prettyName = `Pallet demo image ${image.name} ${image.version} (Debian GNU/Linux)`;
  const osRelease = await readFile(join(rootFolder, "usr/lib/os-release"), "utf8");
  const files = {
    "usr/lib/os-release": osRelease.replace(/^PRETTY_NAME=.*$/m, `PRETTY_NAME="${prettyName}"`),
    "etc/pallet-demo-image": `${image.name} ${image.version}\n`,
    "etc/hostname": `${image.name}\n`,
    "etc/fstab": [
      `PARTUUID=${image.diskId}-01 /boot/firmware vfat defaults 0 2`,
      `PARTUUID=${image.diskId}-02 / ext4 defaults,noatime 0 1`,
      "",
    ].join("\n"),
  };
  for (const [path, content] of Object.entries(files)) {
    await rm(join(rootFolder, path), { force: true });
    await writeFile(join(rootFolder, path), content);
  }
  const bootFiles = await writeBootFiles(base.bootFolder, bootFolder, image.diskId);
  const imagePath = join(folder, "disk.img");
  const rootUuid = uuidFrom(shortDigest(["root filesystem", image.diskId]));
  await writeDiskImage(imagePath, { rootFolder, bootFiles, diskId: image.diskId, rootUuid }, signal);

  const [kernel, initrd] = ["vmlinuz", "initrd.img"].map((prefix) =>
    bootFiles.find((path) => basename(path).startsWith(prefix)),
  );
  if (kernel === undefined || initrd === undefined) throw new Error("demo image: no kernel");
  await copyFile(kernel, join(folder, "vmlinuz"));
  await copyFile(initrd, join(folder, "initrd.img"));
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(createReadStream(imagePath, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      hash.update(chunk);
    }
  });
  const description = {
    digest: hash.digest("hex"),
    sizeBytes,
    prettyName,
    rootPartitionUuid: `${image.diskId}-02`,
    kernel: "vmlinuz",
    initrd: "initrd.img",
  };
  await writeFile(join(folder, "description.json"), `${JSON.stringify(description, null, 2)}\n`);
  await rm(rootFolder, { recursive: true });
  await rm(bootFolder, { recursive: true });
}

/**
 * The code, all that it imports, and the files of this folder and of the root filesystem's decide what an image looks
 * like.
 */
async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256").update(digestModule(fileURLToPath(import.meta.url)));
  for (const url of ["files/", "../../controller/rootfs/files/"]) {
    const folder = fileURLToPath(new URL(url, import.meta.url));
    for (const name of (await readdir(folder)).toSorted())
      hash.update(`\0${name}\0`).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}

function shortDigest(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}

function uuidFrom(hexadecimal: string): string {
  return hexadecimal.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}
