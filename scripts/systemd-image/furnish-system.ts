import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readModuleIndex } from "../../controller/artefacts/read-module-index.ts";
import { keepModules, kernelRelease } from "../../controller/rootfs/keep-modules.ts";
import type { BaseSystem } from "../demo-image/build-base.ts";
import { buildInitramfs } from "../demo-image/build-initramfs.ts";
import { systemModules } from "../demo-image/module-lists.ts";
import { configureSystem } from "./configure-system.ts";

/** The names that a Pi's firmware gives to the device trees of these boards, beside those of the upstream kernel. */
const deviceTrees: Readonly<Record<string, string>> = {
  "bcm2837-rpi-3-b.dtb": "bcm2710-rpi-3-b.dtb",
  "bcm2837-rpi-3-b-plus.dtb": "bcm2710-rpi-3-b-plus.dtb",
  "bcm2711-rpi-4-b.dtb": "bcm2711-rpi-4-b.dtb",
};

/**
 * Makes of an installed Debian what goes onto a card: the root, with few modules and the configuration of every such
 * system, and the boot files, named as Raspberry Pi OS names them.
 */
export async function furnishSystem({ rootFolder, bootFolder }: BaseSystem): Promise<void> {
  const release = await kernelRelease(rootFolder);
  await keepModules(rootFolder, release, [...systemModules, "bridge"]);
  await moveBootFiles({ rootFolder, bootFolder }, release);
  await configureSystem(rootFolder);
}

async function moveBootFiles({ rootFolder, bootFolder }: BaseSystem, release: string): Promise<void> {
  await mkdir(join(bootFolder, "overlays"), { recursive: true });
  // Compressed, as Raspberry Pi OS has it.
  const kernel = await readFile(join(rootFolder, "boot", `vmlinuz-${release}`));
  await writeFile(join(bootFolder, "kernel8.img"), gzipSync(kernel, { level: 6 }));
  const packaged = join(rootFolder, "usr/lib", `linux-image-${release}`);
  for (const [upstream, downstream] of Object.entries(deviceTrees))
    await copyFile(join(packaged, "broadcom", upstream), join(bootFolder, downstream));
  await rm(packaged, { recursive: true });
  for (const name of await readdir(join(rootFolder, "boot")))
    await rm(join(rootFolder, "boot", name), { recursive: true });
  for (const name of ["vmlinuz", "initrd.img", "vmlinuz.old", "initrd.img.old"])
    await rm(join(rootFolder, name), { force: true });
  await mkdir(join(rootFolder, "boot/firmware"));
  const index = await readModuleIndex(join(rootFolder, "usr/lib/modules", release));
  await writeFile(join(bootFolder, "initramfs8"), await buildInitramfs(rootFolder, release, index));
  // The firmware looks for this file before it uses overlays of a folder.
  await writeFile(join(bootFolder, "overlays/README"), "Introduction\n============\n");
}
