// Boot ROM, firmware and U-Boot of an emulated Pi 3, as far as the network sees them, for QEMU starts at the kernel.
// Run by pi3-board.ts in a network namespace that has the board's MAC and address, with a Pi3LoaderSpec as JSON;
// standard output is the serial console. Leaves what it has loaded in a folder, and ends.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { bootFromCard } from "../machine/boot-rom.ts";
import { runFirmware } from "../machine/firmware.ts";
import type { MachineSpec } from "../machine/machine-spec.ts";
import { runUBoot } from "../machine/u-boot.ts";
import { addRootProperty } from "./add-root-property.ts";

/** What the loader is told. */
export interface Pi3LoaderSpec extends Pick<MachineSpec, "mac" | "serial" | "address" | "tftp"> {
  /** Path of the medium in the card slot. */
  readonly card: string;
  /** Where the files go. */
  readonly folder: string;
}

/** What the loader leaves in its folder, as boot.json: names of files there, and words. */
export interface Pi3Boot {
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTree: string;
  readonly commandLine: string;
}

const spec = JSON.parse(process.argv[2] ?? "") as Pi3LoaderSpec;

const card = await bootFromCard({ model: "pi-3", cardDevice: spec.card });
if ("commandLine" in card) {
  throw new Error("a Pi 3 boots the firmware of this card instead of the network; QEMU has no firmware to do so");
}
const started = await runFirmware({ ...spec, model: "pi-3" }, card.asker);
const loaded = started.kind === "kernel" ? started : await runUBoot(spec);
// The firmware hands its device tree over to U-Boot, which gives it to the kernel unless the label names another.
const deviceTree =
  (started.kind === "u-boot" ? loaded.deviceTree : undefined) ??
  addRootProperty(started.deviceTree, "serial-number", `${spec.serial.padStart(16, "0")}\0`);
const boot: Pi3Boot = {
  kernel: "kernel",
  ...(loaded.initrd && { initrd: "initrd" }),
  deviceTree: "device-tree",
  commandLine: loaded.commandLine,
};
await writeFile(path.join(spec.folder, boot.kernel), loaded.kernel);
if (loaded.initrd) await writeFile(path.join(spec.folder, "initrd"), loaded.initrd);
await writeFile(path.join(spec.folder, boot.deviceTree), deviceTree);
await writeFile(path.join(spec.folder, "boot.json"), JSON.stringify(boot));
