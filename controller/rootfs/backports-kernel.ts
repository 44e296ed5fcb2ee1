import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { cacheEntry, isCached } from "../artefacts/cache-entry.ts";
import type { ArchiveRequest } from "../artefacts/debian-archive.ts";
import { renewEntry } from "../artefacts/entry-uses.ts";
import { newestVersion, openPrivateApt, preparePrivateApt, renderSource } from "../artefacts/private-apt.ts";
import { readModuleIndex } from "../artefacts/read-module-index.ts";
import { buildInitramfs } from "./build-initramfs.ts";
import { copyModules, kernelRelease } from "./keep-modules.ts";
import { networkRootModules, pi5NetworkModules, pi5SystemModules, systemModules } from "./module-lists.ts";
import { provideInitramfsTools } from "./provide-initramfs-tools.ts";
import { selectKernelPackages } from "./select-kernel-packages.ts";
import { backportsKernelDigest, sourceFiles } from "./source-files.ts";

/** The suite with a kernel for boards that Debian 12's does not know. */
export const backportsSuite = "trixie-backports";

/** A second kernel for the same root filesystem; all paths are in one folder, which is never written again. */
export interface BackportsKernel {
  /** A gzipped arm64 Image: plain it has 50 MB, and bootloaders give a file 30 s. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** Device trees of all Raspberry Pis that this kernel knows. */
  readonly deviceTreesFolder: string;
  /** Folder over lib/modules/<release>, with what the root filesystem needs. */
  readonly modulesBase: string;
  readonly release: string;
}

type Request = Pick<ArchiveRequest, "cacheDirectory" | "suite" | "mirror" | "refresh" | "log" | "signal">;

/**
 * The kernel of trixie-backports from the cache, or fetched from the request's mirror: about 103 MB, most of them
 * modules. `suite` is where the initrd's programs come from, as for the other kernel.
 *
 * Throws Failure "tool-failed" with what apt says, and "cancelled".
 */
export async function provideBackportsKernel(request: Request): Promise<BackportsKernel> {
  const name = entryName(request);
  if (request.refresh) await renewEntry(request.cacheDirectory, name);
  const folder = await cacheEntry(request.cacheDirectory, name, (building) => buildKernel(building, request));
  const [release = ""] = await readdir(join(folder, "lib/modules"));
  return {
    kernelPath: join(folder, "vmlinuz"),
    initrdPath: join(folder, "initrd.img"),
    deviceTreesFolder: join(folder, "device-trees"),
    modulesBase: folder,
    release,
  };
}

/** Whether it is in the cache and will be taken from there. */
export async function isBackportsKernelCached(
  request: Pick<Request, "cacheDirectory" | "suite" | "mirror" | "refresh">,
): Promise<boolean> {
  return !request.refresh && (await isCached(request.cacheDirectory, entryName(request)));
}

function entryName({ suite, mirror }: Pick<Request, "suite" | "mirror">): string {
  const key = createHash("sha256")
    .update(JSON.stringify([backportsKernelDigest, sourceFiles, backportsSuite, suite, mirror]))
    .digest("hex")
    .slice(0, 32);
  return `kernel-${backportsSuite}-${key}`;
}

async function buildKernel(folder: string, request: Request): Promise<void> {
  const { mirror, log, signal } = request;
  log(`fetching the kernel of ${backportsSuite}, for Raspberry Pi 5 and 2 v1.2 (once, about 103 MB)`);
  const aptFolder = join(folder, "apt");
  await mkdir(aptFolder);
  await preparePrivateApt(aptFolder, [renderSource("deb", { mirror, suite: backportsSuite }, "main")], signal);
  const unpacked = join(folder, "unpacked");
  await mkdir(unpacked);
  const apt = openPrivateApt(aptFolder, { log, signal });
  for (const name of await selectKernelPackages("linux-image-arm64", apt.show))
    await apt.unpack(name, newestVersion(await apt.show(name), name), unpacked);

  const release = await kernelRelease(unpacked);
  const modules = join(unpacked, "usr/lib/modules", release);
  await compress(await firstOf(join(modules, "vmlinuz"), join(unpacked, "boot", `vmlinuz-${release}`)), folder);
  await keepDeviceTrees(
    await firstOf(join(modules, "dtb/broadcom"), join(unpacked, "usr/lib", `linux-image-${release}`, "broadcom")),
    join(folder, "device-trees"),
  );
  const base = join(unpacked, "usr");
  await execa("depmod", ["--basedir", base, release], signal ? { cancelSignal: signal } : {});
  const index = await readModuleIndex(modules);
  // Some that the older kernel has as modules are gone by now; those of a Pi 5 must be there.
  const known = (names: readonly string[]) => names.filter((name) => index.paths.has(name));
  const initramfsModules = join(folder, "initramfs-modules");
  await copyModules(base, initramfsModules, release, [...known(networkRootModules), ...pi5NetworkModules]);
  const tools = await provideInitramfsTools(request);
  await writeFile(join(folder, "initrd.img"), await buildInitramfs(tools, initramfsModules));
  await copyModules(base, folder, release, [...known(systemModules), ...pi5NetworkModules, ...pi5SystemModules]);
  for (const path of [aptFolder, unpacked, initramfsModules]) await rm(path, { recursive: true });
}

/** Where Debian has put it from 7.3 on, or before. */
async function firstOf(...paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const { exitCode } = await execa("test", ["-e", path], { reject: false });
    if (exitCode === 0) return path;
  }
  throw new Failure("tool-failed", `the kernel's packages of ${backportsSuite} have none of ${paths.join(", ")}`);
}

async function compress(kernel: string, folder: string): Promise<void> {
  const gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  await pipeline(createReadStream(kernel), gzip, createWriteStream(join(folder, "vmlinuz.new")));
  await rename(join(folder, "vmlinuz.new"), join(folder, "vmlinuz"));
}

async function keepDeviceTrees(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from))
    if (/^bcm2\d+-.*rpi-.*\.dtb$/.test(name)) await copyFile(join(from, name), join(to, name));
}
