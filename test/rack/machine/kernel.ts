import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { scanCard } from "./card-partitions.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { presentPlatform } from "./platform-files.ts";
import { type AgentCommand, agentProgram, enterCardRoot, enterNetworkRoot } from "./root-filesystem.ts";
import { runTool } from "./run-tool.ts";
import { parseRoot, selectRoot } from "./select-root.ts";
import { print } from "./serial-console.ts";

/** What a loader started. */
export interface StartedKernel {
  readonly commandLine: string;
  /** Whether an initrd looks for the root; otherwise the kernel does. */
  readonly hasInitrd: boolean;
}

/** From the start of the kernel to the end of the machine: the promise never resolves. */
export async function runKernel(spec: MachineSpec, { commandLine, hasInitrd }: StartedKernel): Promise<never> {
  print("[    0.000000] Booting Linux on physical CPU 0x0000000000");
  print(`[    0.000000] Kernel command line: ${commandLine}`);
  const bootId = await presentPlatform(spec, commandLine);
  print(`[    0.100000] boot id ${bootId}`);
  const partitions = await scanCard(spec.cardDevice);
  const root = parseRoot(commandLine);
  if (root.kind === "network") {
    await runTool("hostname", "raspberrypi");
    return await superviseAgent(await enterNetworkRoot(spec), ["--resident-program", agentProgram]);
  }
  const partition = selectRoot(root.word, partitions, hasInitrd);
  if (partition === undefined) {
    if (!hasInitrd && waitsForEver(commandLine)) {
      print(`[    2.000000] Waiting for root device ${root.word}...`);
      return await hang();
    }
    return await panic(commandLine, `VFS: Unable to mount root fs on "${root.word}": no such partition`);
  }
  let agent: AgentCommand | undefined;
  try {
    ({ agent } = await enterCardRoot(spec, partition));
  } catch (error) {
    return await panic(commandLine, error instanceof Error ? error.message : String(error));
  }
  print(`[    2.000000] VFS: Mounted root (${partition.filesystemType} filesystem) on ${partition.device}`);
  await runFirstBoot(spec);
  await runTool("hostname", "--file", "/etc/hostname").catch(() => runTool("hostname", "localhost"));
  if (agent === undefined) {
    print("login: (nothing in this system starts an agent)");
    return await hang();
  }
  return await superviseAgent(agent, ["--role", "resident"]);
}

/** Where the tests' images have what an image's initrd or init does at its first boot. */
const firstBootScript = "/etc/first-boot.sh";

/** Runs the image's own first boot, with the card's device as its argument. It may end the boot by `reboot -f -n`. */
async function runFirstBoot(spec: MachineSpec): Promise<void> {
  if (!existsSync(firstBootScript)) return;
  const said = await runTool("sh", firstBootScript, spec.cardDevice);
  if (said !== "") print(`first boot: ${said.trim()}`);
}

/** What the last word about waiting for the root says: `rootwait` alone has no end, `rootwait=SECONDS` has (Linux 6.6). */
function waitsForEver(commandLine: string): boolean {
  return (
    [...commandLine.matchAll(/(?:^|\s)rootwait(=\d+)?(?=\s|$)/g)].at(-1)?.[1] === undefined &&
    /\brootwait\b/.test(commandLine)
  );
}

/** Hangs, or reboots after the seconds that `panic=` names (Documentation/admin-guide/kernel-parameters). */
async function panic(commandLine: string, message: string): Promise<never> {
  print(`[    2.000000] Kernel panic - not syncing: ${message}`);
  const seconds = Number([...commandLine.matchAll(/(?:^|\s)panic=(\d+)/g)].at(-1)?.[1] ?? 0);
  if (seconds > 0) {
    print(`[    2.000000] Rebooting in ${seconds} seconds..`);
    await delay(seconds * 1000);
    await runTool("busybox", "reboot", "-f", "-n");
  }
  return await hang();
}

/** What the agent's systemd unit does: starts it, and starts it again a second after it ended. */
async function superviseAgent(command: AgentCommand, args: readonly string[]): Promise<never> {
  for (;;) {
    print("systemd[1]: Started pallet-agent.service.");
    const agent = spawn(command[0], [command[1], ...args], {
      cwd: "/",
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/root",
        TMPDIR: "/tmp",
        LANG: "C.UTF-8",
      },
    });
    const end = await new Promise<string>((resolve) => {
      agent.once("error", (error) => resolve(error.message));
      agent.once("exit", (code, signal) => resolve(signal ?? `status=${code}`));
    });
    print(`systemd[1]: pallet-agent.service: Main process exited, ${end}; restarting in 1 s.`);
    await delay(1000);
  }
}

function hang(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 1 << 30));
}
