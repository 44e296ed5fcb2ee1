// A simulated Pi from power-on to power-off, as the first process of namespaces of its own (PID, mount, UTS, network):
// it imitates what boot ROM, firmware, U-Boot and kernel do, and then runs the real agent. Started by
// simulated-board.ts with a MachineSpec as JSON; its standard output is the board's serial console.
import { mkdirSync } from "node:fs";
import process from "node:process";
import { bootFromCard, type NetworkAsker } from "./boot-rom.ts";
import { runFirmware } from "./firmware.ts";
import { runKernel, type StartedKernel } from "./kernel.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { mount } from "./run-tool.ts";
import { print } from "./serial-console.ts";
import { runUBoot } from "./u-boot.ts";

// Outside of a PID namespace a reboot would be that of the host.
if (process.pid !== 1) throw new Error("machine.ts runs only as the first process of a PID namespace");

try {
  const spec = JSON.parse(process.argv[2] ?? "") as MachineSpec;
  const card = await bootFromCard(spec);
  const loaded = "commandLine" in card ? card : await bootFromNetwork(spec, card.asker);
  await mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run");
  mkdirSync("/run/lock");
  await runKernel(spec, loaded);
} catch (error) {
  print(`machine: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(70);
}

async function bootFromNetwork(spec: MachineSpec, asker: NetworkAsker): Promise<StartedKernel> {
  const started = await runFirmware(spec, asker);
  const { commandLine, initrd } = started.kind === "kernel" ? started : await runUBoot(spec);
  return { commandLine, hasInitrd: initrd !== undefined };
}
