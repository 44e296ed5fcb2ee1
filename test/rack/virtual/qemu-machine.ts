import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { createConsole } from "../../programs/console.ts";
import { ended, spawnLeashed } from "../../programs/leashed-process.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import type { TapPort } from "./tap-port.ts";

/** What a machine that QEMU emulates is made of. */
export interface QemuMachineParts {
  /** Where QEMU runs. */
  readonly namespace: NetworkNamespace;
  readonly port: TapPort;
  /** Gets QEMU's output, which is the serial console, and what happens to the power. */
  readonly console: ReturnType<typeof createConsole>;
  /** Does what comes before QEMU, at every start of the machine; returns QEMU's arguments. */
  load(signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Whether QEMU ends when the machine resets itself ("-no-reboot"), so that the next boot begins with `load` again.
   */
  readonly endsAtReset: boolean;
}

/** A machine that QEMU emulates, and its power. */
export interface QemuMachine {
  isOn(): boolean;
  powerOn(): void;
  /**
   * Kills QEMU, so what the guest had not yet sent to the card is lost, as when a plug is pulled. What it had sent is
   * on the card: SD cards of QEMU have no cache of their own, and the host, which stays up, keeps what was written to
   * the file.
   */
  powerOff(): Promise<void>;
  /** Host memory that the machine has in use, in bytes; 0 when it is off. */
  memoryInUse(): Promise<number>;
  /** Does the work while the machine stands still. */
  whileHalted<T>(work: () => Promise<T>): Promise<T>;
}

/** What the console says when the machine has reset itself and boots again. */
export const resetSign = "rack: reset";

/** Makes the machine, switched off. */
export function createQemuMachine(parts: QemuMachineParts): QemuMachine {
  const { namespace, port, console, load, endsAtReset } = parts;
  let power: { readonly off: AbortController; readonly gone: Promise<void> } | undefined;
  let qemu: ChildProcess | undefined;

  /** From reset to the end of QEMU, which is told. */
  const boot = async (signal: AbortSignal): Promise<{ code: number | null; signal: NodeJS.Signals | null }> => {
    const program = ["qemu-system-aarch64", ...(await load(signal)), ...(endsAtReset ? ["-no-reboot"] : [])];
    await port.powerOn();
    try {
      signal.throwIfAborted();
      const child = spawnLeashed("nsenter", [`--net=${namespace.path}`, "--", ...program]);
      const print = (chunk: string) => console.append(chunk.replaceAll("\r", ""));
      child.stdout?.setEncoding("latin1").on("data", print);
      child.stderr?.setEncoding("utf8").on("data", print);
      const kill = () => child.kill("SIGKILL");
      signal.addEventListener("abort", kill, { once: true });
      qemu = child;
      const end = await ended(child);
      signal.removeEventListener("abort", kill);
      return end;
    } finally {
      qemu = undefined;
      await port.powerOff();
    }
  };

  const run = async (signal: AbortSignal): Promise<string> => {
    for (;;) {
      const { code, signal: killedBy } = await boot(signal);
      if (code !== 0 || !endsAtReset) return killedBy ?? `exit code ${code}`;
      console.append(`\n${resetSign}\n`);
    }
  };

  return {
    isOn: () => power !== undefined,
    powerOn() {
      if (power !== undefined) return;
      console.append("\nrack: power on\n");
      const off = new AbortController();
      const gone = run(off.signal)
        .catch((error: unknown) => (off.signal.aborted ? "SIGKILL" : String(error)))
        .then((end) => {
          power = undefined;
          console.append(`\nrack: power off (${end})\n`);
        });
      power = { off, gone };
    },
    async powerOff() {
      const { off, gone } = power ?? {};
      off?.abort();
      await gone;
    },
    async memoryInUse() {
      if (qemu?.pid === undefined) return 0;
      const status = await readFile(`/proc/${qemu.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    },
    async whileHalted(work) {
      const halted = qemu;
      halted?.kill("SIGSTOP");
      try {
        return await work();
      } finally {
        halted?.kill("SIGCONT");
      }
    },
  };
}
