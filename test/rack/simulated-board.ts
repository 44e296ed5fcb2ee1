import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { detachLoopsOver } from "../../proto/linux/loop-device.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { checkout } from "../programs/checkout.ts";
import { createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import type { Board } from "./board.ts";
import { createCard } from "./card.ts";
import type { MachineSpec } from "./machine/machine-spec.ts";
import { type PiModelName, piModels } from "./machine/pi-model.ts";
import type { Network } from "./network.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

/** What kind of board to make. */
export interface BoardOptions {
  readonly model: PiModelName;
  /** Power of two on real cards. */
  readonly cardBytes: number;
  /** Whose agent it runs; default: this checkout's. */
  readonly agents?: { readonly checkout: string; readonly nodeModules: string };
}

/** Makes a simulated Pi, switched off, with a blank card and a cable to the switch. Number 1 to 200. */
export async function createSimulatedBoard(
  network: Network,
  number: number,
  folder: string,
  options: BoardOptions,
): Promise<Board> {
  const profile = piModels[options.model];
  const low = (0x1a_2b_00 + number).toString(16).padStart(6, "0");
  const mac = `${profile.macPrefix}:${low.slice(0, 2)}:${low.slice(2, 4)}:${low.slice(4, 6)}`;
  const serial = `10${low}`;
  const port = network.plug(number, mac);
  const card = await createCard(path.join(folder, `card-${number}.img`), options.cardBytes);
  const console = createConsole(`board ${number} (${mac})`);
  let spec: MachineSpec = {
    model: options.model,
    mac,
    serial,
    address: port.address,
    tftp: { address: network.address, port: 69 },
    cardDevice: card.device,
    ...(options.agents === undefined
      ? { checkout, agent: path.relative(checkout, (await bundledPrograms()).agent) }
      : { ...options.agents, agent: "agent/main.ts" }),
  };
  let machine: { readonly process: ChildProcess; readonly gone: Promise<void> } | undefined;
  let nextRebootFails = false;

  const start = (namespace: NetworkNamespace): void => {
    // As DHCP tells it at every boot.
    const now: MachineSpec = { ...spec, tftp: { ...spec.tftp, address: network.address } };
    const namespaces = ["--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"];
    const program = [process.execPath, path.join(import.meta.dirname, "machine/machine.ts"), JSON.stringify(now)];
    const child = spawnLeashed("nsenter", [
      `--net=${namespace.path}`,
      "--",
      "unshare",
      ...namespaces,
      "--",
      ...program,
    ]);
    child.stdout?.setEncoding("utf8").on("data", console.append);
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      // What unshare(1) says when its child was killed is not a word of the board.
      if (!chunk.startsWith("unshare: sigprocmask")) console.append(chunk);
    });
    const gone = ended(child).then(async ({ code, signal }) => {
      // On a Pi they are gone with its power, here they belong to the host's kernel.
      await detachLoopsOver(card.device).catch((error: unknown) => console.append(`rack: ${String(error)}\n`));
      // reboot(2) in a PID namespace kills its first process by SIGHUP; unshare(1) passes that on as its own end.
      const reboots = signal === "SIGHUP" || code === 129;
      machine = undefined;
      if (reboots && !nextRebootFails) {
        console.append("rack: warm reboot\n");
        start(namespace);
        return;
      }
      await port.powerOff();
      console.append(
        reboots
          ? "rack: rebooting, but the power supply fails\n"
          : `rack: power off (${signal ?? `exit code ${code}`})\n`,
      );
    });
    machine = { process: child, gone };
  };

  const firstProcess = async (): Promise<number> => {
    const pid = machine?.process.pid;
    const children = pid === undefined ? "" : await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    const first = Number(children.trim().split(" ")[0]);
    if (first === 0) throw new Error(`board ${number} is off`);
    return first;
  };

  /** Process id, as the host counts, of the agent: the one child of the first process that runs its script. */
  const agentProcess = async (): Promise<number> => {
    const first = await firstProcess();
    const children = await readFile(`/proc/${first}/task/${first}/children`, "utf8");
    for (const child of children.trim().split(" ").filter(Boolean)) {
      const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
      if (command.includes(spec.agent)) return Number(child);
    }
    throw new Error(`no agent runs on board ${number}; its console says:\n${console.tail(20)}`);
  };

  const powerOff = async (): Promise<void> => {
    // The network first, or the host's kernel would tell the other ends of connections what a dead board cannot.
    await port.powerOff();
    while (machine !== undefined) {
      const { process: child, gone } = machine;
      const pid = await firstProcess().catch(() => undefined);
      // Killing the first process ends every other one before unshare sees its end, so nothing runs on afterwards.
      if (pid === undefined) child.kill("SIGKILL");
      else process.kill(pid, "SIGKILL");
      await gone;
    }
  };

  return {
    mac,
    get serial() {
      return spec.serial;
    },
    model: profile.model,
    address: port.address,
    card,
    console,
    isOn: () => machine !== undefined,
    async powerOn() {
      nextRebootFails = false;
      if (machine === undefined) start(await port.powerOn());
    },
    powerOff,
    replace(other) {
      spec = { ...spec, serial: other };
    },
    failNextReboot() {
      nextRebootFails = true;
    },
    cutNetwork: port.cut,
    restoreNetwork: port.restore,
    limitNetwork: port.limit,
    async killAgent() {
      process.kill(await agentProcess(), "SIGKILL");
    },
    async run(program, args) {
      const target = ["--target", String(await firstProcess()), "--mount", "--uts", "--net", "--pid", "--root", "--wd"];
      return (await execa("nsenter", [...target, "--", program, ...args])).stdout;
    },
    async close() {
      await powerOff();
      await card.close();
    },
  };
}
