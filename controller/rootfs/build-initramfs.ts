import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { type CpioEntry, renderCpio } from "../artefacts/render-cpio.ts";
import { sourceFiles } from "./source-files.ts";

const applets =
  "sh basename cat cut find head hostname ip ls md5sum mdev mkdir mkfifo mount mv pidof printf reboot sed sleep sort switch_root " +
  "timeout tr true umount uname xargs";

const folder = (path: string): CpioEntry => ({ path, permissions: 0o755, kind: { type: "folder" } });
const link = (path: string, target: string): CpioEntry => ({
  path,
  permissions: 0o777,
  kind: { type: "link", target },
});
const file = (path: string, permissions: number, content: Uint8Array): CpioEntry => ({
  path,
  permissions,
  kind: { type: "file", content },
});

const source = (name: string): Buffer => Buffer.from(sourceFiles[name] ?? "");

/**
 * The initrd of a netbooted node, compressed by zstd: busybox-static, klibc's ipconfig and nfsmount, modules,
 * and the scripts in files/. No program of the node's architecture runs to make it.
 *
 * @param rootFolder holds the packages busybox-static, klibc-utils and libklibc
 * @param modulesBase folder over lib/modules/<release>, with exactly the modules that go in, listed by depmod(8)
 */
export async function buildInitramfs(rootFolder: string, modulesBase: string): Promise<Buffer> {
  const fromRoot = async (path: string, from: string) => file(path, 0o755, await readFile(join(rootFolder, from)));
  const klibc = (await readdir(join(rootFolder, "usr/lib"))).filter((name) => /^klibc-.+\.so$/.test(name));
  const archive = renderCpio([
    ...["bin", "dev", "etc", "lib", "proc", "run", "sbin", "sys"].map(folder),
    // The kernel opens it for init before anything is mounted on /dev.
    { path: "dev/console", permissions: 0o600, kind: { type: "character-device", major: 5, minor: 1 } },
    file("init", 0o755, source("initramfs-init")),
    ...["guard-watchdog", "load-drivers"].map((name) => file(`bin/${name}`, 0o755, source(name))),
    file("etc/mdev.conf", 0o644, source("mdev.conf")),
    await fromRoot("bin/busybox", "usr/bin/busybox"),
    ...applets.split(" ").map((name) => link(`bin/${name}`, "busybox")),
    // The kernel itself calls it too, for what drivers and filesystems ask for while they run.
    link("sbin/modprobe", "../bin/busybox"),
    await fromRoot("bin/ipconfig", "usr/lib/klibc/bin/ipconfig"),
    await fromRoot("bin/nfsmount", "usr/lib/klibc/bin/nfsmount"),
    ...(await Promise.all(klibc.map((name) => fromRoot(`lib/${name}`, `usr/lib/${name}`)))),
    ...(await tree(modulesBase, "lib/modules")),
  ]);
  const parameters = { [constants.ZSTD_c_compressionLevel]: 19 };
  return zstdCompressSync(archive, { params: parameters });
}

/** A folder and all that is in it, in an order that does not depend on the filesystem. */
async function tree(base: string, path: string): Promise<CpioEntry[]> {
  const entries = await readdir(join(base, path), { withFileTypes: true });
  const inside = entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(async (entry) => {
      const inner = `${path}/${entry.name}`;
      return entry.isDirectory() ? tree(base, inner) : [file(inner, 0o644, await readFile(join(base, inner)))];
    });
  return [folder(path), ...(await Promise.all(inside)).flat()];
}
