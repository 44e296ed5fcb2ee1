import type { ChildProcess } from "node:child_process";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { ended, firstLine, spawnLeashed } from "../programs/leashed-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { type Cable, createSwitchSocket } from "./switch-socket.ts";

/** Makes a network namespace that vanishes with this process, with nothing in it but the loopback interface. */
export async function createNetworkNamespace(): Promise<NetworkNamespace> {
  const holder: ChildProcess = spawnLeashed("unshare", ["--net", "sh", "-c", "echo ready; exec sleep infinity"]);
  const gone = ended(holder);
  await firstLine(holder);
  const pid = holder.pid;
  if (pid === undefined) throw new Error("unshare has no process id");
  const path = `/proc/${pid}/ns/net`;
  const run = async (program: string, args: readonly string[], input?: string) =>
    (await execa("nsenter", [`--net=${path}`, "--", program, ...args], input === undefined ? {} : { input })).stdout;
  await run("ip", ["link", "set", "lo", "up"]);
  return {
    path,
    pid,
    run,
    async close() {
      holder.kill("SIGKILL");
      await gone;
    },
  };
}

/** One board's network interface, its cable, and the socket of the switch that it is in. */
export interface Port extends Cable {
  /** What DHCP gives the board. */
  readonly address: string;
  /** Gives the interface power: a new namespace with eth0 in it. Nothing when it has power. */
  powerOn(): Promise<NetworkNamespace>;
}

/** The rack's switch and the management machine's place on it. */
export interface Network {
  /** Where the controller runs. */
  readonly namespace: NetworkNamespace;
  /** The management machine's interface that the boards are behind: a bridge, which is the switch too. */
  readonly interface: string;
  /** Address of the management machine. */
  readonly address: string;
  /** Gives the management machine another address in the place of its own. */
  moveTo(address: string): Promise<void>;
  /** Plugs a board in: the address of number 1 to 200 ends in 10 + number. */
  plug(number: number, mac: string): Port;
  close(): Promise<void>;
}

/** How the management machine is connected. */
export interface NetworkOptions {
  /** Name of its interface; default "rack". */
  readonly interface?: string;
  /** Its address in a network of 24 bits; default 10.77.0.1. */
  readonly address?: string;
  /** Whether the interface is up and has that address already; default true. */
  readonly isConfigured?: boolean;
}

/** Makes the network of a rack, apart from every other network of this machine. */
export async function createNetwork(options: NetworkOptions = {}): Promise<Network> {
  const { interface: name = "rack", address = "10.77.0.1", isConfigured = true } = options;
  const namespace = await createNetworkNamespace();
  // A bridge without an address of its own takes its lowest port's, another one whenever a board is switched on or off;
  // what a U-Boot in the middle of a transfer sends would go nowhere then. A network card keeps its address.
  const mac = "52:54:00:77:ff:01";
  const configured = isConfigured ? `addr add ${address}/24 dev ${name}\nlink set ${name} up\n` : "";
  const bridge = `link add ${name} address ${mac} type bridge forward_delay 0\n`;
  // Such a bridge has a link only while something is plugged in. A network card has one as long as the switch is on.
  const link = `link add switch type veth peer name itself\nlink set itself up\nlink set switch master ${name} up\n`;
  await namespace.run("ip", ["-batch", "-"], `${bridge}${link}${configured}`);

  const plug = (number: number, mac: string): Port => {
    const port = `port${number}`;
    const boardAddress = address.replace(/\d+$/, String(10 + number));
    const socket = createSwitchSocket(namespace, port, { cut: ["down"], whole: ["up"] });
    let board: NetworkNamespace | undefined;
    return {
      ...socket,
      address: boardAddress,
      async powerOn() {
        if (board !== undefined) return board;
        const powered = await createNetworkNamespace();
        board = powered;
        await socket.powerOn(async () => {
          const pair = `${port} type veth peer name eth0 address ${mac} netns ${powered.pid}`;
          await namespace.run("ip", ["-batch", "-"], `link add ${pair}\nlink set ${port} master ${name}\n`);
          await powered.run("ip", ["-batch", "-"], `addr add ${boardAddress}/24 dev eth0\nlink set eth0 up\n`);
        });
        return powered;
      },
      async powerOff() {
        const dark = board;
        board = undefined;
        await socket.powerOff();
        await dark?.close();
      },
    };
  };
  let current = address;
  return {
    namespace,
    interface: name,
    get address() {
      return current;
    },
    async moveTo(next) {
      const batch = `addr del ${current}/24 dev ${name}\naddr add ${next}/24 dev ${name}\n`;
      await namespace.run("ip", ["-batch", "-"], batch);
      current = next;
    },
    plug,
    close: () => namespace.close(),
  };
}
