import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { MachineSpec } from "./machine-spec.ts";
import { piModels } from "./pi-model.ts";
import { mount } from "./run-tool.ts";

/** Folder on the machine's private tmpfs for the files that are bound over the host's. */
const folder = "/run/platform";

/**
 * Makes /proc and /sys in this mount namespace those of a Pi: command line, boot id, cpuinfo, device tree, LED,
 * temperature, and a card that is the only disk. Returns the boot id.
 */
export async function presentPlatform(spec: MachineSpec, commandLine: string): Promise<string> {
  const { model, revision } = piModels[spec.model];
  const bootId = randomUUID();
  await mkdir(folder, { recursive: true });
  await cover("/proc/cmdline", `${commandLine}\n`);
  await cover("/proc/sys/kernel/random/boot_id", `${bootId}\n`);
  await cover("/proc/cpuinfo", cpuInfo(model, revision, spec.serial));
  // Whoever writes there would reboot the machine that simulates this one.
  if (existsSync("/proc/sysrq-trigger")) await mount("--bind", "/dev/null", "/proc/sysrq-trigger");

  // A new sysfs shows the network namespace of this process instead of the host's.
  await mount("-t", "sysfs", "sysfs", "/sys");
  await presentClasses();
  await mount("-t", "tmpfs", "tmpfs", "/sys/block");
  const card = path.basename(spec.cardDevice);
  symlinkSync(`../devices/virtual/block/${card}`, `/sys/block/${card}`);
  await mount("-t", "tmpfs", "tmpfs", "/sys/firmware");
  await mkdir("/sys/firmware/devicetree/base", { recursive: true });
  await writeFile("/sys/firmware/devicetree/base/model", `${model}\0`);
  await writeFile("/sys/firmware/devicetree/base/serial-number", `${spec.serial.padStart(16, "0")}\0`);
  return bootId;
}

async function cover(target: string, content: string): Promise<void> {
  const file = path.join(folder, target.slice(1).replaceAll("/", "-"));
  await writeFile(file, content);
  await mount("--bind", file, target);
}

/**
 * /sys/class of this kernel with a Pi's LED and temperature sensor added; sysfs itself takes no new folders. What
 * is gone while we look is not a loss. Block devices come and go, so that folder stays the kernel's own.
 */
async function presentClasses(): Promise<void> {
  const links = readdirSync("/sys/class")
    .filter((name) => name !== "block")
    .map((name) => ({ name, entries: readLinks(`/sys/class/${name}`) }));
  const block = path.join(folder, "class-block");
  await mkdir(block);
  await mount("--bind", "/sys/class/block", block);
  await mount("-t", "tmpfs", "tmpfs", "/sys/class");
  await mkdir("/sys/class/block");
  await mount("--bind", block, "/sys/class/block");
  for (const { name, entries } of links) {
    await mkdir(`/sys/class/${name}`);
    for (const entry of entries) symlinkSync(entry.target, `/sys/class/${name}/${entry.name}`);
  }
  await present("/sys/class/leds/ACT", { trigger: "none [mmc0] timer heartbeat\n", brightness: "0\n" });
  await present("/sys/class/thermal/thermal_zone0", { type: "cpu-thermal\n", temp: "48312\n" });
}

function readLinks(directory: string): { name: string; target: string }[] {
  return readdirSync(directory).flatMap((name) => {
    try {
      return [{ name, target: readlinkSync(path.join(directory, name)) }];
    } catch {
      return [];
    }
  });
}

async function present(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(directory, name), content);
}

function cpuInfo(model: string, revision: string, serial: string): string {
  const cores = [0, 1, 2, 3].map((number) =>
    [
      `processor\t: ${number}`,
      "BogoMIPS\t: 38.40",
      "Features\t: fp asimd evtstrm crc32 cpuid",
      "CPU implementer\t: 0x41",
      "CPU architecture: 8",
      "CPU variant\t: 0x0",
      "CPU part\t: 0xd03",
      "CPU revision\t: 4",
    ].join("\n"),
  );
  const board = `Revision\t: ${revision}\nSerial\t\t: ${serial.padStart(16, "0")}\nModel\t\t: ${model}\n`;
  return `${cores.join("\n\n")}\n\n${board}`;
}
