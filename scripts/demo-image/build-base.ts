import { chmod, copyFile, cp, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { defaultMirror } from "../../controller/artefacts/debian-defaults.ts";
import { readModuleIndex } from "../../controller/artefacts/read-module-index.ts";
import { keepModules, kernelRelease } from "../../controller/rootfs/keep-modules.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { buildInitramfs } from "./build-initramfs.ts";
import { systemModules } from "./module-lists.ts";

const packages = [
  ..."base-files base-passwd bash coreutils dash debianutils diffutils findutils grep gzip hostname sed tar".split(" "),
  ..."init-system-helpers libc-bin login mount ncurses-base ncurses-bin passwd perl-base procps util-linux".split(" "),
  ..."apt ca-certificates dosfstools e2fsprogs iproute2 kmod less netbase openssl vim-tiny xz-utils zstd".split(" "),
  "busybox-static",
  "linux-image-arm64",
];

/** Every byte is written to every card: documentation, character sets and hardware names are left out. */
const leftOut = [
  ...["doc", "man", "info", "locale", "lintian"].map((name) => `usr/share/${name}`),
  ...["usr/lib/aarch64-linux-gnu/gconv", "usr/lib/udev", "usr/lib/klibc"],
];

/** What every demo image of one suite shares; all paths are in one folder. */
export interface BaseSystem {
  /** The root filesystem, complete but for the files that name one image. */
  readonly rootFolder: string;
  /** Kernel, initrd and device trees, as they go onto the FAT partition. */
  readonly bootFolder: string;
}

/** Where the parts are in the folder of a base system. */
export function baseSystemIn(folder: string): BaseSystem {
  return { rootFolder: join(folder, "root"), bootFolder: join(folder, "boot") };
}

/** Fetches and unpacks Debian arm64 packages into `folder`; needs root, runs no program of that architecture. */
export async function buildBase(folder: string, suite: string, signal?: AbortSignal): Promise<void> {
  const { rootFolder, bootFolder } = baseSystemIn(folder);
  // mmdebstrap gives apt a root of its own, so the architectures and lists of this machine stay as they are.
  await execa(
    "mmdebstrap",
    [
      "--variant=extract",
      "--architectures=arm64",
      "--mode=root",
      "--format=directory",
      "--components=main",
      "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
      `--include=${packages.join(",")}`,
      suite,
      rootFolder,
      defaultMirror,
    ],
    { stdin: "ignore", ...(signal && { cancelSignal: signal }) },
  );
  await Promise.all(leftOut.map((path) => rm(join(rootFolder, path), { recursive: true, force: true })));
  const release = await kernelRelease(rootFolder);
  await keepModules(rootFolder, release, systemModules);
  await moveBootFiles(rootFolder, bootFolder, release);
  await configure(rootFolder);
}

async function moveBootFiles(rootFolder: string, bootFolder: string, release: string): Promise<void> {
  await mkdir(bootFolder);
  await rename(join(rootFolder, "boot", `vmlinuz-${release}`), join(bootFolder, `vmlinuz-${release}`));
  const deviceTrees = join(rootFolder, "usr/lib", `linux-image-${release}`);
  for (const name of await readdir(join(deviceTrees, "broadcom")))
    if (/^bcm2(711|837)-rpi-.*\.dtb$/.test(name))
      await copyFile(join(deviceTrees, "broadcom", name), join(bootFolder, name));
  await rm(deviceTrees, { recursive: true });
  await rm(join(rootFolder, "boot"), { recursive: true });
  await mkdir(join(rootFolder, "boot/firmware"), { recursive: true });
  const index = await readModuleIndex(join(rootFolder, "usr/lib/modules", release));
  await writeFile(join(bootFolder, `initrd.img-${release}`), await buildInitramfs(rootFolder, release, index));
}

/** Does what maintainer scripts would have done as far as the system needs it to come up under busybox's init. */
async function configure(rootFolder: string): Promise<void> {
  const at = (path: string) => join(rootFolder, path);
  const files = new URL("files/", import.meta.url);
  await cp(at("usr/share/base-passwd/passwd.master"), at("etc/passwd"));
  await cp(at("usr/share/base-passwd/group.master"), at("etc/group"));
  await cp(new URL("inittab", files), at("etc/inittab"));
  const netbooted = new URL("../../controller/rootfs/files/", import.meta.url);
  const programs = [
    ...["rcS", "network", "lease-event"].map((name) => new URL(name, files)),
    new URL("load-drivers", netbooted),
  ];
  for (const program of programs) {
    const path = at(`etc/init.d/${basename(program.pathname)}`);
    await cp(program, path);
    await chmod(path, 0o755);
  }
  await cp(new URL("mdev.conf", netbooted), at("etc/mdev.conf"));
  await writeFile(at("etc/modules"), `${["vfat", "nls_ascii"].join("\n")}\n`);
  // mmdebstrap copies these two from the machine that it runs on.
  await writeFile(at("etc/resolv.conf"), "");
  await writeFile(at("etc/hosts"), "127.0.0.1 localhost\n");
  await writeFile(at("etc/machine-id"), "");
  for (const name of ["init", "mdev"]) await symlink("../bin/busybox", at(`usr/sbin/${name}`));
  await symlink("bash", at("usr/bin/sh")).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
