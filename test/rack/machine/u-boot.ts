import { setTimeout as delay } from "node:timers/promises";
import { isKernel } from "./is-kernel.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { type PxelinuxLabel, parsePxelinux } from "./parse-pxelinux.ts";
import { print } from "./serial-console.ts";
import { TftpError, tftpGet } from "./tftp-client.ts";

const pauseMs = 2000;

/** What U-Boot has to know of the board that it runs on. */
export type UBootSpec = Pick<MachineSpec, "mac" | "address" | "tftp">;

/** What U-Boot starts. */
export interface LoadedKernel {
  readonly kernel: Buffer;
  readonly initrd?: Buffer;
  /** Undefined: the one that the firmware has handed over. */
  readonly deviceTree?: Buffer;
  readonly commandLine: string;
}

/**
 * U-Boot with the boot command `while true; do dhcp; pxe get && pxe boot; sleep 2; done`: returns the kernel that it
 * has loaded, and tries forever until it has.
 */
export async function runUBoot(spec: UBootSpec): Promise<LoadedKernel> {
  for (;;) {
    const file = await pxeGet(spec);
    const loaded = file === undefined ? undefined : await pxeBoot(spec, file);
    if (loaded !== undefined) return loaded;
    print(`U-Boot: trying again in ${pauseMs / 1000} s`);
    await delay(pauseMs);
  }
}

/**
 * Where U-Boot looks for its config (boot/pxe_utils.c, cmd/pxe.c): MAC, address in hex shortened digit by digit,
 * defaults.
 */
export function configPaths(mac: string, address: string): string[] {
  const hex = address
    .split(".")
    .map((octet) => Number(octet).toString(16).toUpperCase().padStart(2, "0"))
    .join("");
  return [
    `01-${mac.replaceAll(":", "-")}`,
    ...Array.from(hex, (_, index) => hex.slice(0, hex.length - index)),
    "default-arm-bcm283x-rpi",
    "default-arm-bcm283x",
    "default-arm",
    "default",
  ].map((name) => `pxelinux.cfg/${name}`);
}

async function pxeGet(spec: UBootSpec): Promise<string | undefined> {
  for (const path of configPaths(spec.mac, spec.address)) {
    print(`U-Boot: retrieving file: ${path}`);
    try {
      return (await fetchFile(spec, path)).toString("utf8");
    } catch (error) {
      print(`U-Boot: ${error instanceof Error ? error.message : String(error)}`);
      if (!(error instanceof TftpError)) return undefined;
    }
  }
  print("U-Boot: config file not found");
  return undefined;
}

async function pxeBoot(spec: UBootSpec, file: string): Promise<LoadedKernel | undefined> {
  for (const label of parsePxelinux(file).attempts) {
    print(`U-Boot: booting label ${label.name}`);
    try {
      return await load(spec, label);
    } catch (error) {
      print(`U-Boot: skipping ${label.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return undefined;
}

async function load(spec: UBootSpec, label: PxelinuxLabel): Promise<LoadedKernel> {
  if (label.kernel === undefined) throw new Error("no kernel given");
  const initrd = label.initrd === undefined ? undefined : await loadFile(spec, label.initrd);
  const kernel = await loadFile(spec, label.kernel);
  const bootInterface = ((label.ipappend ?? 0) & 2) === 2 ? ` BOOTIF=01-${spec.mac.replaceAll(":", "-")}` : "";
  const commandLine = `${label.append ?? ""}${bootInterface}`;
  print(`append: ${commandLine}`);
  const deviceTree = label.fdt === undefined ? undefined : await loadFile(spec, label.fdt);
  if (!isKernel(kernel)) throw new Error("Bad Linux ARM64 Image magic!");
  return { kernel, ...(initrd && { initrd }), ...(deviceTree && { deviceTree }), commandLine };
}

async function loadFile(spec: UBootSpec, path: string): Promise<Buffer> {
  const bytes = await fetchFile(spec, path);
  print(`U-Boot: ${path} ${bytes.length} bytes`);
  return bytes;
}

function fetchFile(spec: UBootSpec, path: string): Promise<Buffer> {
  return tftpGet({ ...spec.tftp, path, timeoutMs: 1000, maxTimeouts: 5 });
}
