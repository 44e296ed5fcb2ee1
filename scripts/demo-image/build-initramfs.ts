import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ModuleIndex, orderModules } from "../../controller/artefacts/kernel-modules.ts";
import { type CpioEntry, renderCpio } from "../../controller/artefacts/render-cpio.ts";
import { storageModules } from "./module-lists.ts";

const applets =
  "sh cat mount umount mkdir insmod findfs switch_root sleep ls tr od printf basename dirname readlink reboot";

/**
 * The initrd of the demo image, gzipped: busybox-static, the modules that the root may need in the order in
 * which they load, and files/initramfs-init. No program of the image's architecture runs to make it.
 */
export async function buildInitramfs(rootFolder: string, release: string, index: ModuleIndex): Promise<Buffer> {
  const folder = (path: string): CpioEntry => ({ path, permissions: 0o755, kind: { type: "folder" } });
  const file = async (path: string, source: string | URL, permissions: number): Promise<CpioEntry> => ({
    path,
    permissions,
    kind: { type: "file", content: await readFile(source) },
  });
  const modules = orderModules(index, storageModules);
  const order = modules.map((path) => `${basename(path)}\n`).join("");
  const archive = renderCpio([
    ...["bin", "dev", "proc", "sys", "modules"].map(folder),
    { path: "dev/console", permissions: 0o600, kind: { type: "character-device", major: 5, minor: 1 } },
    await file("init", new URL("files/initramfs-init", import.meta.url), 0o755),
    await file("bin/busybox", join(rootFolder, "usr/bin/busybox"), 0o755),
    ...applets
      .split(" ")
      .map(
        (name): CpioEntry => ({ path: `bin/${name}`, permissions: 0o777, kind: { type: "link", target: "busybox" } }),
      ),
    ...(await Promise.all(
      modules.map((path) =>
        file(`modules/${basename(path)}`, join(rootFolder, "usr/lib/modules", release, path), 0o644),
      ),
    )),
    { path: "modules/order", permissions: 0o644, kind: { type: "file", content: Buffer.from(order) } },
  ]);
  return gzipSync(archive, { level: 9 });
}
