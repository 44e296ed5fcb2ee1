import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { cacheEntry, isCached } from "../artefacts/cache-entry.ts";
import type { ArchiveRequest } from "../artefacts/debian-archive.ts";
import { renewEntry } from "../artefacts/entry-uses.ts";
import { buildInitramfs } from "./build-initramfs.ts";
import { copyModules, keepModules, kernelRelease } from "./keep-modules.ts";
import { networkRootModules, systemModules } from "./module-lists.ts";
import { applets, buildPackages, kernelPackage, leftOut, packages, superuserApplets } from "./packages.ts";
import { baseSystemDigest, sourceFiles } from "./source-files.ts";

/** What every root filesystem of one Debian suite shares; all paths are in one folder, which is never written again. */
export interface BaseSystem {
  /** Complete but for the agent, /etc/inittab and the operator's keys. */
  readonly rootFolder: string;
  /** The kernel: an arm64 Image, not compressed, as U-Boot's booti wants it. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** Folder of the device trees of the Raspberry Pis that belong to this kernel. */
  readonly deviceTreesFolder: string;
  /** Text of lines "<package> <version>". */
  readonly packageVersionsPath: string;
}

/**
 * The base system from the cache, or built: needs root and Debian's mmdebstrap and kmod, and runs no program of the
 * node's architecture. Takes about half a minute and as long as the download of about 90 MB.
 */
export async function provideBaseSystem(request: ArchiveRequest): Promise<BaseSystem> {
  const name = entryName(request);
  if (request.refresh) await renewEntry(request.cacheDirectory, name);
  const folder = await cacheEntry(request.cacheDirectory, name, async (building) => {
    request.log(`fetching and unpacking Debian ${request.suite} for arm64 (once, about half a minute)`);
    await buildBaseSystem(baseSystemIn(building), building, request);
  });
  return baseSystemIn(folder);
}

/** Whether the base system is in the cache and will be taken from there. */
export async function isBaseSystemCached(
  request: Pick<ArchiveRequest, "cacheDirectory" | "suite" | "mirror" | "refresh">,
): Promise<boolean> {
  return !request.refresh && (await isCached(request.cacheDirectory, entryName(request)));
}

/** Name in the cache, with a key of everything that the result depends on. */
function entryName({ suite, mirror }: Pick<ArchiveRequest, "suite" | "mirror">): string {
  // The lists of packages, modules and applets are a part of the code.
  const key = createHash("sha256")
    .update(JSON.stringify([baseSystemDigest, sourceFiles, suite, mirror]))
    .digest("hex")
    .slice(0, 32);
  return `base-${suite}-${key}`;
}

function baseSystemIn(folder: string): BaseSystem {
  return {
    rootFolder: join(folder, "root"),
    kernelPath: join(folder, "vmlinuz"),
    initrdPath: join(folder, "initrd.img"),
    deviceTreesFolder: join(folder, "device-trees"),
    packageVersionsPath: join(folder, "packages"),
  };
}

async function buildBaseSystem(base: BaseSystem, folder: string, request: ArchiveRequest): Promise<void> {
  const { rootFolder } = base;
  const packageFiles = join(folder, "package-files");
  await mkdir(packageFiles);
  await unpackDebian(rootFolder, packageFiles, folder, request);
  await rename(join(packageFiles, "versions"), base.packageVersionsPath);

  const release = await kernelRelease(rootFolder);
  await rename(join(rootFolder, "boot", `vmlinuz-${release}`), base.kernelPath);
  await keepDeviceTrees(rootFolder, release, base.deviceTreesFolder);
  await keepModules(rootFolder, release, systemModules);

  const initramfsModules = join(folder, "initramfs-modules");
  await copyModules(join(rootFolder, "usr"), initramfsModules, release, networkRootModules);
  await writeFile(base.initrdPath, await buildInitramfs(rootFolder, initramfsModules));
  await rm(initramfsModules, { recursive: true });

  for (const list of await readdir(packageFiles)) {
    const name = list.replace(/\.files$/, "");
    if (Object.hasOwn(buildPackages, name)) await removePackage(rootFolder, join(packageFiles, list));
  }
  await rm(packageFiles, { recursive: true });
  for (const path of [...leftOut, "boot", "etc/apt", "etc/dpkg", "etc/kernel"])
    await rm(join(rootFolder, path), { recursive: true, force: true });
  await configure(rootFolder);
}

async function unpackDebian(
  rootFolder: string,
  packageFiles: string,
  folder: string,
  { suite, mirror, signal }: ArchiveRequest,
): Promise<void> {
  const hook = join(folder, "record-packages");
  await writeFile(hook, sourceFiles["record-packages"] ?? "", { mode: 0o755 });
  const args = [
    "--variant=extract",
    "--architectures=arm64",
    "--mode=root",
    "--format=directory",
    "--components=main",
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    // mmdebstrap runs a hook that is an executable file with the root folder as its argument.
    `--extract-hook=${hook}`,
    `--include=${[...Object.keys(packages), "klibc-utils", "tiny-initramfs", kernelPackage].join(",")}`,
    suite,
    rootFolder,
    mirror,
  ];
  try {
    // mmdebstrap gives apt a root of its own, so the architectures and lists of this machine stay as they are.
    await execa("mmdebstrap", args, {
      stdin: "ignore",
      env: { PALLET_PACKAGES: packageFiles },
      ...(signal && { cancelSignal: signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw new Failure("cancelled", "the build of the root filesystem was cancelled", { cause });
    const { stderr, shortMessage } = cause as { stderr?: string; shortMessage?: string };
    const why = `mmdebstrap: ${stderr?.trim().split("\n").slice(-5).join("; ") || shortMessage}`;
    throw new Failure("tool-failed", `Debian's packages could not be unpacked: ${why}`, { cause });
  } finally {
    await rm(hook, { force: true });
  }
}

async function keepDeviceTrees(rootFolder: string, release: string, to: string): Promise<void> {
  const all = join(rootFolder, "usr/lib", `linux-image-${release}`);
  await mkdir(to);
  for (const name of await readdir(join(all, "broadcom")))
    if (/^bcm2\d+-rpi-.*\.dtb$/.test(name)) await copyFile(join(all, "broadcom", name), join(to, name));
  await rm(all, { recursive: true });
}

/** Removes the files of one package, and folders that are empty then. */
async function removePackage(rootFolder: string, listPath: string): Promise<void> {
  const paths = (await readFile(listPath, "utf8")).split("\n").map((line) => line.replace(/^\.\//, ""));
  for (const path of paths.filter((line) => line !== "").toReversed()) {
    if (path.endsWith("/")) await rmdir(join(rootFolder, path)).catch(() => undefined);
    else await rm(placeOf(rootFolder, path), { force: true });
  }
}

/** A path of a package as it is in a root where /bin, /lib and /sbin are links to /usr. */
function placeOf(rootFolder: string, path: string): string {
  return join(rootFolder, path.replace(/^(bin|lib|sbin)\//, "usr/$1/"));
}

/** Does what maintainer scripts would have done, as far as the agent needs it. */
async function configure(rootFolder: string): Promise<void> {
  const at = (path: string) => join(rootFolder, path);
  await cp(at("usr/share/base-passwd/passwd.master"), at("etc/passwd"));
  await cp(at("usr/share/base-passwd/group.master"), at("etc/group"));
  // bash is not here; an account without a valid shell cannot log in by ssh.
  const passwd = await readFile(at("etc/passwd"), "utf8");
  await writeFile(at("etc/passwd"), passwd.replace(/^(root:.*:)\/bin\/bash$/m, "$1/bin/sh"));
  await writeFile(at("etc/shells"), "/bin/sh\n");
  for (const folder of ["etc/dropbear", "etc/init.d", "etc/pallet", "usr/lib/pallet", "mnt", "var/log", "boot"])
    await mkdir(at(folder), { recursive: true });
  await writeFile(at("etc/fstab"), "# Nothing is mounted: the root is an overlay in RAM over NFS.\n");
  // mmdebstrap copies resolv.conf and hostname from the machine that it runs on; the initrd writes its own.
  const empty = ["etc/resolv.conf", "etc/machine-id", "etc/hostname"];
  for (const path of empty) await writeFile(at(path), "");
  await writeFile(at("etc/hosts"), "127.0.0.1 localhost\n");
  const programs = { "etc/init.d": ["rcS"], "usr/lib/pallet": ["keep-lease", "lease-event", "load-drivers"] };
  for (const [folder, names] of Object.entries(programs))
    for (const name of names) {
      await writeFile(at(`${folder}/${name}`), sourceFiles[name] ?? "");
      await chmod(at(`${folder}/${name}`), 0o755);
    }
  await writeFile(at("etc/mdev.conf"), sourceFiles["mdev.conf"] ?? "");
  for (const name of applets.split(" ")) await linkUnlessThere("busybox", at(`usr/bin/${name}`));
  for (const name of superuserApplets.split(" ")) await linkUnlessThere("../bin/busybox", at(`usr/sbin/${name}`));
}

async function linkUnlessThere(target: string, path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) await symlink(target, path);
}
