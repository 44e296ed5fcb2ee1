import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { kernelRelease } from "../../controller/rootfs/keep-modules.ts";
import type { BaseSystem } from "../demo-image/build-base.ts";
import { configureSystem } from "./configure-system.ts";

/** The names that a Pi's firmware gives to the device trees of these boards, beside those of the upstream kernel. */
const deviceTrees: Readonly<Record<string, string>> = {
  "bcm2837-rpi-3-b.dtb": "bcm2710-rpi-3-b.dtb",
  "bcm2837-rpi-3-b-plus.dtb": "bcm2710-rpi-3-b-plus.dtb",
  "bcm2711-rpi-4-b.dtb": "bcm2711-rpi-4-b.dtb",
};

/**
 * Makes of an installed Debian what goes onto a card: the root, with the configuration of every such system, and the boot
 * files, named as Raspberry Pi OS names them.
 *
 * @param kernel has the kernel, its modules, its initrd and device trees
 */
export async function furnishSystem({ rootFolder, bootFolder }: BaseSystem, kernel: BaseSystem): Promise<void> {
  const release = await kernelRelease(kernel.rootFolder);
  const modules = join("usr/lib/modules", release);
  await cp(join(kernel.rootFolder, modules), join(rootFolder, modules), { recursive: true });
  await mkdir(join(bootFolder, "overlays"), { recursive: true });
  const from = (name: string) => join(kernel.bootFolder, name);
  // Compressed, as Raspberry Pi OS has it.
  await writeFile(join(bootFolder, "kernel8.img"), gzipSync(await readFile(from(`vmlinuz-${release}`)), { level: 6 }));
  await copyFile(from(`initrd.img-${release}`), join(bootFolder, "initramfs8"));
  for (const [upstream, downstream] of Object.entries(deviceTrees))
    await copyFile(from(upstream), join(bootFolder, downstream));
  // The firmware looks for this file before it uses overlays of a folder.
  await writeFile(join(bootFolder, "overlays/README"), "Introduction\n============\n");
  await mkdir(join(rootFolder, "boot/firmware"), { recursive: true });
  await configureSystem(rootFolder);
}
