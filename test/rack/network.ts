import type { ChildProcess } from "node:child_process";
import { execa } from "execa";
import { ended, firstLine, spawnLeashed } from "./leashed-process.ts";

/** A network namespace without a name: it lives as long as the process that holds it. */
export interface NetworkNamespace {
  /** Path for nsenter(1). */
  readonly path: string;
  /** Process id of the holder, for `ip link … netns PID`. */
  readonly pid: number;
  /** Runs a program in it. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}

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

/** One board's cable and the socket of the switch that it is in. */
export interface Port {
  /** The board's side; its interface is eth0. */
  readonly namespace: NetworkNamespace;
  readonly address: string;
  /** Pulls the cable. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Limits what the board receives; undefined lifts the limit (tc-tbf(8)). */
  limit(bytesPerSecond: number | undefined): Promise<void>;
  close(): Promise<void>;
}

/** The rack's switch and the management machine's place on it. */
export interface Network {
  /** Where the controller runs. */
  readonly namespace: NetworkNamespace;
  /** Address of the management machine. */
  readonly address: string;
  /** Plugs a board in: number 1 to 200 becomes 10.77.0.(10 + number). */
  plug(number: number, mac: string): Promise<Port>;
  close(): Promise<void>;
}

/** Makes the network of a rack, 10.77.0.0/24, apart from every other network of this machine. */
export async function createNetwork(): Promise<Network> {
  const namespace = await createNetworkNamespace();
  const address = "10.77.0.1";
  await namespace.run(
    "ip",
    ["-batch", "-"],
    `link add rack type bridge forward_delay 0\naddr add ${address}/24 dev rack\nlink set rack up\n`,
  );

  const plug = async (number: number, mac: string): Promise<Port> => {
    const board = await createNetworkNamespace();
    const socket = `port${number}`;
    const boardAddress = `10.77.0.${10 + number}`;
    await namespace.run(
      "ip",
      ["-batch", "-"],
      `link add ${socket} type veth peer name eth0 address ${mac} netns ${board.pid}\nlink set ${socket} master rack up\n`,
    );
    // What DHCP would give it.
    await board.run("ip", ["-batch", "-"], `addr add ${boardAddress}/24 dev eth0\nlink set eth0 up\n`);
    let limited = false;
    return {
      namespace: board,
      address: boardAddress,
      cut: async () => void (await namespace.run("ip", ["link", "set", socket, "down"])),
      restore: async () => void (await namespace.run("ip", ["link", "set", socket, "up"])),
      async limit(bytesPerSecond) {
        if (bytesPerSecond === undefined) {
          if (limited) await namespace.run("tc", ["qdisc", "del", "dev", socket, "root"]);
        } else {
          const bucket = ["rate", `${bytesPerSecond}bps`, "burst", "64kb", "latency", "200ms"];
          await namespace.run("tc", ["qdisc", "replace", "dev", socket, "root", "tbf", ...bucket]);
        }
        limited = bytesPerSecond !== undefined;
      },
      close: () => board.close(),
    };
  };
  return { namespace, address, plug, close: () => namespace.close() };
}
