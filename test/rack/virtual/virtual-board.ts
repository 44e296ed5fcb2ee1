import type { ChildProcess } from "node:child_process";
import { readFile, truncate } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { Board } from "../board.ts";
import { createConsole } from "../console.ts";
import { ended, spawnLeashed } from "../leashed-process.ts";
import type { Network } from "../network.ts";
import { createCardFile } from "./card-file.ts";
import { chooseAsynchronousIo } from "./choose-asynchronous-io.ts";
import { renderQemuArguments } from "./render-qemu-arguments.ts";
import { createTapPort } from "./tap-port.ts";

const MiB = 1024 * 1024;

/** TCP port on which the rootfs of the tests answers with a shell; see test-rootfs.ts. Nothing that is shipped does. */
export const shellPort = 7799;

/** What kind of virtual Pi to make. */
export interface VirtualBoardOptions {
  /** U-Boot for QEMU's virt machine, loaded from address 0 as a firmware would. */
  readonly uBoot: string;
  /** Power of two. */
  readonly cardBytes: number;
  /** Default 1024 MiB. */
  readonly memoryBytes?: number;
}

/** A board whose processor is emulated: what U-Boot, kernel and agent do on it is what they do on a Pi. */
export interface VirtualBoard extends Board {
  /** Host memory that the machine has in use, in bytes; 0 when it is off. */
  memoryInUse(): Promise<number>;
  /** Writes to a new file what is on the card at one instant, as it would be if the plug were pulled; it runs on. */
  snapshotCard(file: string): Promise<void>;
  /** Puts a blank card of the same size into the slot; only while the board is off. */
  replaceCard(): Promise<void>;
}

/** MAC address that the virtual Pi of that number has. The second digit says "locally administered": no vendor has it. */
export function virtualMac(number: number): string {
  return `52:54:00:77:00:${number.toString(16).padStart(2, "0")}`;
}

/**
 * Makes a virtual Pi, switched off, with a blank card and a cable to the switch. Number 1 to 200.
 *
 * Switching it off kills QEMU, so what the guest had not yet sent to the card is lost, as when a plug is pulled. What
 * it had sent is on the card: SD cards of QEMU have no cache of their own, and the host, which stays up, keeps what was
 * written to the file. A reboot of the guest is a reset of the same machine.
 */
export async function createVirtualBoard(
  network: Network,
  number: number,
  folder: string,
  options: VirtualBoardOptions,
): Promise<VirtualBoard> {
  const mac = virtualMac(number);
  const port = createTapPort(network, number);
  const card = await createCardFile(path.join(folder, `card-${number}.img`), options.cardBytes);
  const console = createConsole(`virtual board ${number} (${mac})`);
  const qemu = renderQemuArguments({
    uBoot: options.uBoot,
    card: card.file,
    mac,
    tap: port.interface,
    memoryBytes: options.memoryBytes ?? 1024 * MiB,
    asynchronousIo: await chooseAsynchronousIo(card.file),
  });
  let machine: { readonly process: ChildProcess; readonly gone: Promise<void> } | undefined;
  const nextRebootFails = false;

  const start = (): void => {
    const program = ["qemu-system-aarch64", ...qemu, ...(nextRebootFails ? ["-no-reboot"] : [])];
    const child = spawnLeashed("nsenter", [`--net=${network.namespace.path}`, "--", ...program]);
    const print = (chunk: string) => console.append(chunk.replaceAll("\r", ""));
    child.stdout?.setEncoding("latin1").on("data", print);
    child.stderr?.setEncoding("utf8").on("data", print);
    const gone = ended(child).then(async ({ code, signal }) => {
      machine = undefined;
      await port.powerOff();
      console.append(`\nrack: power off (${signal ?? `exit code ${code}`})\n`);
    });
    machine = { process: child, gone };
  };
  const address = (): string => {
    const bound = [...console.text().matchAll(/DHCP client bound to address (\S+)/g)].at(-1)?.[1];
    if (bound === undefined) throw new Error(`virtual board ${number} has got no address yet`);
    return bound;
  };
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const command = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const shell = ["busybox", "nc", "-w", "300", address(), String(shellPort)];
    return await network.namespace.run(shell[0] ?? "", shell.slice(1), `${command}; exit\n`);
  };

  return {
    mac,
    serial: "",
    model: "linux,dummy-virt",
    /** What its U-Boot last said that DHCP gave it. */
    get address() {
      return address();
    },
    card,
    console,
    isOn: () => machine !== undefined,
    async powerOn() {
      if (machine !== undefined) return;
      await port.powerOn();
      console.append("\nrack: power on\n");
      start();
    },
    async powerOff() {
      // The network first, or the host's kernel would tell the other ends of connections what a dead board cannot.
      machine?.process.kill("SIGKILL");
      await machine?.gone;
    },
    failNextReboot() {
      throw new Error("a virtual Pi always comes back from a reboot");
    },
    cutNetwork: port.cut,
    restoreNetwork: port.restore,
    limitNetwork: port.limit,
    async killAgent() {
      await run("busybox", ["killall", "-KILL", "pallet-agent"]);
    },
    run,
    async memoryInUse() {
      const pid = machine?.process.pid;
      if (pid === undefined) return 0;
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    },
    async snapshotCard(file) {
      machine?.process.kill("SIGSTOP");
      try {
        await execa("cp", ["--sparse=always", card.file, file]);
      } finally {
        machine?.process.kill("SIGCONT");
      }
    },
    async replaceCard() {
      if (machine !== undefined) throw new Error(`virtual board ${number} is on: its card cannot be replaced`);
      await truncate(card.file, 0);
      await truncate(card.file, card.sizeBytes);
    },
    async close() {
      machine?.process.kill("SIGKILL");
      await machine?.gone;
      await card.close();
    },
  };
}
