import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { createConsole } from "../../programs/console.ts";
import { ended, spawnLeashed } from "../../programs/leashed-process.ts";
import type { Card } from "../card.ts";
import { bootRom, type DhcpRequest, type Lease, requestLease, uBoot } from "../dhcp-client.ts";
import { piModels } from "../machine/pi-model.ts";
import type { Network } from "../network.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { createCardFile } from "./card-file.ts";
import { chooseAsynchronousIo } from "./choose-asynchronous-io.ts";
import type { Pi3Boot, Pi3LoaderSpec } from "./pi3-loader.ts";
import { createQemuMachine } from "./qemu-machine.ts";
import { renderPi3Arguments } from "./render-qemu-arguments.ts";
import { createTapPort } from "./tap-port.ts";
import { assembleBoard, type VirtualBoard } from "./virtual-board.ts";

/** What kind of emulated Pi 3 to make. */
export interface Pi3BoardOptions {
  /** Default: one of its own. */
  readonly mac?: string;
  /** A medium that is there already, or the size of a blank one, a power of two. Closed with the board. */
  readonly card: Card | number;
}

/**
 * What the board adds to the command line that it was given. The console is where this harness listens, and said last
 * it is the system's; a real Pi's kernel takes it from its device tree. The watchdog of QEMU's raspi3b resets the
 * machine at the moment that it is armed (hw/misc/bcm2835_powermgt.c has no countdown), so the agent has to leave it
 * alone.
 */
const boardWords = ["console=ttyS1,115200", "pallet.watchdog=off"];

/**
 * Makes an emulated Raspberry Pi 3B, switched off, with a cable to the switch: the kernel meets a real Pi 3's device
 * tree, SD host, USB host and watchdog. Number 1 to 200.
 *
 * U-Boot has no network on this machine. So before the kernel a program in the board's place on the network, with its
 * MAC and the address that DHCP gives it, asks TFTP for what boot ROM, firmware and U-Boot ask for, and QEMU is started
 * with exactly the kernel, initrd, device tree and command line that it got. A reset ends QEMU, and all of
 * that is done again; without a working restart handler the guest's kernel says "System halted" and QEMU runs on.
 */
export async function createPi3Board(
  network: Network,
  number: number,
  folder: string,
  options: Pi3BoardOptions,
): Promise<VirtualBoard> {
  const low = (0x77_30_00 + number).toString(16);
  const mac = options.mac ?? `${piModels["pi-3"].macPrefix}:${(low.match(/../g) ?? []).join(":")}`;
  const serial = `30${low}`;
  const name = `emulated Pi 3 ${number}`;
  const cardFile = path.join(folder, `card-${number}.img`);
  const card = typeof options.card === "number" ? await createCardFile(cardFile, options.card) : options.card;
  const console = createConsole(`${name} (${mac})`);
  const port = createTapPort(network, number);
  const loaderPort = network.plug(number, mac);
  const loaderFolder = path.join(folder, `pi3-${number}`);
  await mkdir(loaderFolder);
  const asynchronousIo = await chooseAsynchronousIo(card.file);
  let lease: Lease | undefined;

  /** As often as it takes. Of a real Pi 3B only U-Boot asks on: its boot ROM gives up after five requests. */
  const askForAddress = async (place: NetworkNamespace, who: DhcpRequest, signal: AbortSignal): Promise<Lease> => {
    for (;;) {
      try {
        const given = await requestLease(place, loaderFolder, who, signal);
        console.append(`DHCP for ${who.vendorClass}: address ${given.values["ip"]}, from ${given.values["siaddr"]}\n`);
        return given;
      } catch (error) {
        signal.throwIfAborted();
        console.append(`DHCP for ${who.vendorClass}: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  };
  const runLoader = async (place: NetworkNamespace, signal: AbortSignal): Promise<void> => {
    await askForAddress(place, bootRom, signal);
    lease = await askForAddress(place, uBoot, signal);
    const { ip: address = "", siaddr: server = "" } = lease.values;
    const spec: Pi3LoaderSpec = {
      ...{ mac, serial, address, card: card.file, folder: loaderFolder },
      tftp: { address: server, port: 69 },
    };
    const program = [process.execPath, path.join(import.meta.dirname, "pi3-loader.ts"), JSON.stringify(spec)];
    const child = spawnLeashed("nsenter", [`--net=${place.path}`, "--", ...program]);
    child.stdout?.setEncoding("utf8").on("data", console.append);
    child.stderr?.setEncoding("utf8").on("data", console.append);
    const kill = () => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    const { code } = await ended(child);
    signal.removeEventListener("abort", kill);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`it does not boot: see what its loader said`);
  };

  const machine = createQemuMachine({
    namespace: network.namespace,
    port,
    console,
    endsAtReset: true,
    async load(signal) {
      try {
        await runLoader(await loaderPort.powerOn(), signal);
      } finally {
        await loaderPort.powerOff();
      }
      const boot = JSON.parse(await readFile(path.join(loaderFolder, "boot.json"), "utf8")) as Pi3Boot;
      const file = (base: string) => path.join(loaderFolder, base);
      return renderPi3Arguments({
        ...{ mac, card: card.file, asynchronousIo, tap: port.interface },
        kernel: file(boot.kernel),
        ...(boot.initrd !== undefined && { initrd: file(boot.initrd) }),
        deviceTree: file(boot.deviceTree),
        commandLine: [boot.commandLine, ...boardWords].join(" "),
      });
    },
  });
  const cable = {
    cut: async () => {
      await Promise.all([loaderPort.cut(), port.cut()]);
    },
    restore: async () => {
      await Promise.all([loaderPort.restore(), port.restore()]);
    },
    limit: async (bytesPerSecond: number | undefined) => {
      await Promise.all([loaderPort.limit(bytesPerSecond), port.limit(bytesPerSecond)]);
    },
  };
  const address = () => lease?.values["ip"];
  const identity = { name, mac, serial, model: piModels["pi-3"].model };
  return assembleBoard({ ...identity, network, machine, cable, card, console, address });
}
