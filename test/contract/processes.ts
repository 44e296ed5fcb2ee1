// The two programs as processes of their own, on free ports of 127.0.0.1. The kernel kills them when the test ends.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import type { Node } from "../../controller/nodes/node.ts";
import { openStore } from "../../controller/store/open-store.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { checkout } from "../programs/checkout.ts";
import { type Console, createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";

/** A running program. */
export interface Program {
  readonly pid: number;
  /** "127.0.0.1:PORT" of its gRPC. */
  readonly address: string;
  /** What it has printed. */
  readonly log: Console;
  /** Tells it to stop by SIGTERM; resolves with what became of it. */
  stop(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
}

/** A running controller. */
export interface ControllerProgram extends Program {
  readonly socket: string;
  readonly stateDirectory: string;
  /** The folder of its images as this process sees it. */
  readonly imageDirectory: string;
}

const isRoot = process.getuid?.() === 0;

/** Stands for the built agent: a program that every system runs, a script. */
const residentProgram = path.join(checkout, "scripts/launch");

/** A running agent; without a controller it has no address on the network. */
export interface AgentProgram extends Program {
  readonly socket: string;
}

/**
 * Starts `agent ARGS` with a unix socket of its own and, where it has a controller or is insecure, on a free port. It may
 * not reboot this machine: it has no CAP_SYS_BOOT.
 *
 * @param options.path the PATH in which it finds its tools; this process's unless given
 * @param options.withoutSbin hides /usr/sbin from it, and from it alone (needs root)
 */
export async function startAgent(
  args: readonly string[] = [],
  options: { readonly path?: string; readonly withoutSbin?: boolean } = {},
): Promise<AgentProgram> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-agent-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const socket = path.join(folder, "agent.sock");
  const agent = [
    ...(options.path === undefined ? [] : ["env", `PATH=${options.path}`]),
    ...[
      process.execPath,
      (await bundledPrograms()).agent,
      ...["--port", "0", "--socket", socket, "--identity-file", path.join(folder, "identity/agent.pem")],
      ...["--resident-program", residentProgram, ...args],
    ],
  ];
  const bounded = isRoot ? ["setpriv", "--bounding-set=-sys_boot", "--", ...agent] : agent;
  const hide = 'for folder in /usr/sbin /sbin; do mount -t tmpfs tmpfs "$folder"; done; exec "$@"';
  const command = options.withoutSbin ? withMounts(hide, bounded) : bounded;
  const { fields, ...program } = await start("agent", command).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    ...program,
    address: `127.0.0.1:${fields["port"]}`,
    socket,
    stop: () => program.stop().finally(remove),
    kill: () => program.kill().finally(remove),
  };
}

/**
 * Starts `controller serve` on free ports with a state of its own.
 *
 * @param options.imageBytes how much fits into its image folder (needs root); without limit unless given
 * @param options.knownNodes the nodes that its state holds already, or how many; none unless given
 * @param options.settings more of its config file
 */
export async function startController(
  options: {
    readonly imageBytes?: number;
    readonly knownNodes?: number | readonly Node[];
    readonly settings?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<ControllerProgram> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-contract-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const images = path.join(folder, "images");
  const socket = path.join(folder, "controller.sock");
  await mkdir(images);
  const config = {
    stateDirectory: path.join(folder, "state"),
    imageDirectory: images,
    bootTree: path.join(folder, "boot"),
    socket,
    grpcPort: 0,
    httpPort: 0,
    httpsPort: 0,
    tftpPort: 0,
    // Nodes that tests make up send no heartbeats: they count as online for three of these.
    heartbeatIntervalMs: 120_000,
    reimage: { retryDelayMs: 200 },
    ...options.settings,
  };
  const { knownNodes } = options;
  if (knownNodes !== undefined)
    makeNodesKnown(
      path.join(config.stateDirectory, "pallet.sqlite"),
      typeof knownNodes === "number" ? somebodysNodes(knownNodes) : knownNodes,
    );
  const configFile = path.join(folder, "controller.yaml");
  await writeFile(configFile, stringify(config));
  const serve = [process.execPath, (await bundledPrograms()).controller, "serve", "--config", configFile];
  const limit = `mount -t tmpfs -o size=${options.imageBytes} tmpfs ${images}; exec "$@"`;
  try {
    const command = options.imageBytes === undefined ? serve : withMounts(limit, serve);
    const { fields, ...program } = await start("controller", command);
    return {
      ...program,
      address: String(fields["grpc"]),
      socket,
      stateDirectory: config.stateDirectory,
      // A process sees its own mounts there, and so does whoever may look (proc(5)).
      imageDirectory: options.imageBytes === undefined ? images : `/proc/${program.pid}/root${images}`,
      stop: () => program.stop().finally(remove),
      kill: () => program.kill().finally(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Makes a state database with these nodes. */
function makeNodesKnown(file: string, nodes: readonly Node[]): void {
  const store = openStore(file);
  store.nodes.saveAll(nodes);
  store.close();
}

/** So many nodes (at most 65536) that are somebody's. */
function somebodysNodes(count: number): readonly Node[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `02:ff:00:00:${hex(index >> 8)}:${hex(index & 255)}` as NodeId,
    name: `known-${index}`,
    accepted: true,
    bootTarget: { kind: "agent" },
    lastSeenAt: 0,
    discoveredAt: 0,
  }));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** The command in a mount namespace of its own, after a script has mounted what only it should see. */
function withMounts(script: string, command: readonly string[]): string[] {
  return ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", script, "sh", ...command];
}

async function start(
  name: string,
  [program = "", ...args]: readonly string[],
): Promise<Omit<Program, "address"> & { readonly fields: Readonly<Record<string, unknown>> }> {
  const log = createConsole(name);
  const child = spawnLeashed(program, args, withoutPallet(process.env));
  child.stdout?.setEncoding("utf8").on("data", log.append);
  child.stderr?.setEncoding("utf8").on("data", log.append);
  const end = ended(child);
  const tooEarly = end.then(({ code, signal }) => {
    throw new Error(`the ${name} ended (${signal ?? code}):\n${log.tail(20)}`);
  });
  const serving = log.waitFor(/^\{.*"msg":"serving"\}$/m);
  // Whichever of the two loses the race may still reject.
  tooEarly.catch(() => {});
  serving.catch(() => {});
  const [line] = await Promise.race([serving, tooEarly]).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`the ${name} has no process id`);
  return {
    fields: JSON.parse(line) as Record<string, unknown>,
    pid,
    log,
    async stop() {
      child.kill("SIGTERM");
      return await end;
    },
    async kill() {
      child.kill("SIGKILL");
      await end;
    },
  };
}
