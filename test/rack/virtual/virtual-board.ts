import { truncate } from "node:fs/promises";
import path from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { createConsole } from "../../programs/console.ts";
import type { Board } from "../board.ts";
import type { Card } from "../card.ts";
import type { Network } from "../network.ts";
import type { Cable } from "../switch-socket.ts";
import { shellPort } from "./add-test-shell.ts";
import { createCardFile } from "./card-file.ts";
import { chooseAsynchronousIo } from "./choose-asynchronous-io.ts";
import { monitorPath } from "./order-machine.ts";
import { createQemuMachine, type QemuMachine } from "./qemu-machine.ts";
import { renderQemuArguments } from "./render-qemu-arguments.ts";
import { createTapPort } from "./tap-port.ts";

const MiB = 1024 * 1024;

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

/**
 * MAC address that the virtual Pi of that number has. The second digit says "locally administered": no vendor has it.
 */
export function virtualMac(number: number): string {
  return `52:54:00:77:00:${number.toString(16).padStart(2, "0")}`;
}

/**
 * Makes a virtual Pi, switched off, with a blank card and a cable to the switch. Number 1 to 200. A reboot of the guest
 * is a reset of the same machine.
 */
export async function createVirtualBoard(
  network: Network,
  number: number,
  folder: string,
  options: VirtualBoardOptions,
): Promise<VirtualBoard> {
  const mac = virtualMac(number);
  const name = `virtual board ${number}`;
  const port = createTapPort(network, number);
  const card = await createCardFile(path.join(folder, `card-${number}.img`), options.cardBytes);
  const console = createConsole(`${name} (${mac})`);
  const qemu = renderQemuArguments({
    uBoot: options.uBoot,
    card: card.file,
    mac,
    tap: port.interface,
    memoryBytes: options.memoryBytes ?? 1024 * MiB,
    monitor: monitorPath(folder, mac),
    asynchronousIo: await chooseAsynchronousIo(card.file),
  });
  const machine = createQemuMachine({
    namespace: network.namespace,
    port,
    console,
    load: async () => qemu,
    endsAtReset: false,
  });
  /** What its U-Boot last said that DHCP gave it. */
  const address = () => [...console.text().matchAll(/DHCP client bound to address (\S+)/g)].at(-1)?.[1];
  const identity = { name, mac, serial: "", model: "linux,dummy-virt" };
  return assembleBoard({ ...identity, network, machine, cable: port, card, console, address });
}

/** What a board with an emulated machine is made of. */
export interface BoardParts extends Pick<Board, "mac" | "serial" | "model" | "console"> {
  /** For messages. */
  readonly name: string;
  readonly network: Network;
  readonly machine: QemuMachine;
  readonly cable: Pick<Cable, "cut" | "restore" | "limit">;
  /** Closed with the board. */
  readonly card: Card;
  /** What DHCP gave it last; undefined when it has got nothing yet. */
  address(): string | undefined;
}

/** The board around an emulated machine. */
export function assembleBoard(parts: BoardParts): VirtualBoard {
  const { name, network, machine, cable, card, console } = parts;
  const address = (): string => {
    const given = parts.address();
    if (given === undefined) throw new Error(`${name} has got no address yet`);
    return given;
  };
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const command = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const shell = ["busybox", "nc", "-w", "300", address(), String(shellPort)];
    return await network.namespace.run(shell[0] ?? "", shell.slice(1), `${command}; exit\n`);
  };
  return {
    mac: parts.mac,
    serial: parts.serial,
    model: parts.model,
    get address() {
      return address();
    },
    card,
    console,
    isOn: machine.isOn,
    async powerOn() {
      machine.powerOn();
    },
    powerOff: machine.powerOff,
    replace() {
      throw new Error(`${name} has no serial number that could be another board's`);
    },
    failNextReboot() {
      throw new Error(`${name} always comes back from a reboot`);
    },
    cutNetwork: cable.cut,
    restoreNetwork: cable.restore,
    limitNetwork: cable.limit,
    async killAgent() {
      await run("busybox", ["killall", "-KILL", "pallet-agent"]);
    },
    run,
    memoryInUse: machine.memoryInUse,
    async snapshotCard(file) {
      await machine.whileHalted(() => execa("cp", ["--sparse=always", card.file, file]));
    },
    async replaceCard() {
      if (machine.isOn()) throw new Error(`${name} is on: its card cannot be replaced`);
      await truncate(card.file, 0);
      await truncate(card.file, card.sizeBytes);
    },
    async close() {
      await machine.powerOff();
      await card.close();
    },
  };
}
