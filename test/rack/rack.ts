import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import type { BootTreeManifest } from "../../controller/boot-tree/plan-boot-tree.ts";
import { renderConfigTxt } from "../../controller/boot-tree/render-config-txt.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { fakeKernel } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { type ControllerProcess, createControllerProcess } from "./controller-process.ts";
import { keepLogs } from "./kept-logs.ts";
import { filesOfBuiltTree, type PiModelName } from "./machine/pi-model.ts";
import { createNetwork, type Network } from "./network.ts";
import { createRackClient, type RackClient } from "./rack-client.ts";
import { type CommandResult, runCommandLine } from "./run-command-line.ts";
import { createScratchFolder } from "./scratch-folder.ts";
import { createSimulatedBoard } from "./simulated-board.ts";

const MiB = 1024 * 1024;

/** What a rack is made of. */
export interface RackOptions {
  readonly nodes: number;
  /** Size of every card, or of the card of each board. Default 64 MiB. */
  readonly cardBytes?: number | readonly number[];
  /** Default: Pi 3 and Pi 4 in turn. */
  readonly model?: PiModelName;
  /** Whose agents the simulated Pis run, and whose controller and commands; default: this checkout's. */
  readonly agents?: { readonly checkout: string; readonly nodeModules: string };
  readonly controllerCheckout?: string;
  /** Further variables of the controller's environment, by name. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Kernel and initrd to netboot the agent with; default: bytes that pass for them. */
  readonly agentBoot?: { readonly kernel: Buffer; readonly initrd: Buffer };
  /** Keys of the controller's config file, groups as objects; they win over the rack's own. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Unix socket of the controller; default: one in the rack's folder. */
  readonly socket?: string;
  /** Starts what else is on the network before the controller starts; returns what ends it. */
  readonly prepareNetwork?: (network: Network, folder: string) => Promise<() => Promise<void>>;
  /** Makes the management machine; default: one that runs this checkout, as `settings` say. */
  readonly makeMachine?: (folder: string) => Promise<ManagementMachine>;
  /** Makes board number 1 and so on, switched off; default: simulated Pis. */
  readonly makeBoard?: (network: Network, number: number, folder: string) => Promise<Board>;
}

/** Where the controller of a rack runs. */
export interface ManagementMachine {
  readonly network: Network;
  readonly controller: ControllerProcess;
  /** The controller's state: database and images. */
  readonly stateDirectory: string;
  readonly socket: string;
  /** Runs `controller ARGS` on it, whatever its exit code. */
  pallet(...args: readonly string[]): Promise<CommandResult>;
  close(): Promise<void>;
}

/** A management machine with a controller, a switch, and boards on it, all on this machine and all gone afterwards. */
export interface Rack extends AsyncDisposable {
  /** Folder for files of the rack; removed with it. */
  readonly folder: string;
  /** The controller's state: database and images. */
  readonly stateDirectory: string;
  readonly socket: string;
  readonly network: Network;
  readonly controller: ControllerProcess;
  readonly client: RackClient;
  /** Board number 1 first. All are off. */
  readonly boards: readonly Board[];
  board(number: number): Board;
  /** Starts the controller and resolves when it answers. */
  startController(): Promise<void>;
  /** Switches every board on, has them all registered and accepted. */
  powerOnAll(): Promise<void>;
  /** Runs `controller ARGS` of this checkout against this rack's controller, whatever its exit code. */
  pallet(...args: readonly string[]): Promise<CommandResult>;
  /** The same, and throws unless its exit code is 0; returns its standard output. */
  palletOk(...args: readonly string[]): Promise<string>;
  /** The last words of every console and of the controller, for the report of a failure. */
  lastWords(lines?: number): string;
  close(): Promise<void>;
}

/** Builds a rack and starts its controller; boards are there but off. */
export async function createRack(options: RackOptions): Promise<Rack> {
  const scratch = await createScratchFolder("pallet-rack-");
  const folder = scratch.path;
  const undo: (() => Promise<unknown>)[] = [scratch.remove];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const machine = await (options.makeMachine?.(folder) ?? createCheckoutMachine(folder, options));
    undo.push(machine.close);
    const { network, controller, stateDirectory, socket, pallet } = machine;
    if (options.prepareNetwork !== undefined) undo.push(await options.prepareNetwork(network, folder));
    undo.push(controller.kill);
    const client = createRackClient(socket);
    undo.push(async () => client.close());

    const boards: Board[] = [];
    undo.push(() => Promise.all(boards.map((board) => board.close())));
    for (let number = 1; number <= options.nodes; number++) {
      if (options.makeBoard !== undefined) {
        boards.push(await options.makeBoard(network, number, folder));
        continue;
      }
      const { cardBytes = 64 * MiB } = options;
      boards.push(
        await createSimulatedBoard(network, number, folder, {
          model: options.model ?? (number % 2 === 1 ? "pi-3" : "pi-4"),
          ...(options.agents && { agents: options.agents }),
          cardBytes: typeof cardBytes === "number" ? cardBytes : (cardBytes[number - 1] ?? 64 * MiB),
        }),
      );
    }
    const board = (number: number): Board => {
      const found = boards[number - 1];
      if (found === undefined) throw new Error(`the rack has no board ${number}`);
      return found;
    };
    const lastWords = (lines = 15): string =>
      [
        `--- controller\n${controller.log.tail(2 * lines)}`,
        ...boards.map(({ console, mac }, index) => `--- board ${index + 1} (${mac})\n${console.tail(lines)}`),
      ].join("\n");

    const startController = async (): Promise<void> => {
      controller.start();
      await Promise.race([
        client.ready(),
        controller.gone().then(() => {
          throw new Error(`the controller ended at once:\n${controller.log.tail(30)}`);
        }),
      ]);
    };
    const palletOk = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await pallet(...args);
      if (exitCode !== 0) {
        throw new Error(`controller ${args.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}`);
      }
      return stdout;
    };
    const powerOnAll = async (): Promise<void> => {
      await Promise.all(boards.map((each) => each.powerOn()));
      await Promise.all(
        boards.map(({ mac }) =>
          client.event((event) => event.type === "node-registered" && event.nodeId === mac, { timeoutMs: 120_000 }),
        ),
      ).catch((error: unknown) => {
        throw new Error(`not every node registered:\n${lastWords()}`, { cause: error });
      });
      await palletOk("node", "accept", "--all");
    };

    await startController();
    undo.push(async () => {
      if (process.env["PALLET_TEST_LOGS"] !== undefined) await keepLogs({ controller, client, boards });
    });
    return {
      folder,
      stateDirectory,
      socket,
      network,
      controller,
      client,
      boards,
      board,
      startController,
      powerOnAll,
      pallet,
      palletOk,
      lastWords,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A management machine that runs this checkout, or another one. */
async function createCheckoutMachine(folder: string, options: RackOptions): Promise<ManagementMachine> {
  const stateDirectory = path.join(folder, "state");
  const socket = options.socket ?? path.join(folder, "controller.sock");
  const { controllerCheckout: earlier } = options;
  const main = earlier === undefined ? (await bundledPrograms()).controller : path.join(earlier, "controller/main.ts");
  const network = await createNetwork();
  const configFile = await writeController(folder, stateDirectory, network.address, socket, options);
  return {
    network,
    controller: createControllerProcess([
      "env",
      ...Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      ...serveInNetwork(network, configFile, main),
    ]),
    stateDirectory,
    socket,
    pallet: (...args) => runCommandLine([process.execPath, main, ...args, "--socket", socket]),
    close: network.close,
  };
}

/**
 * The command that becomes `controller serve --config FILE` on the management machine of a network.
 *
 * @param main the controller's program, a script
 */
export function serveInNetwork(
  { namespace }: Network,
  configFile: string,
  main: string,
): readonly [string, ...string[]] {
  const program = [process.execPath, main, "serve", "--config", configFile];
  return ["nsenter", `--net=${namespace.path}`, "--", ...program];
}

/** What "controller boot-tree build" leaves in a tree that it made with these files. */
function describeTree(contents: Readonly<Record<string, Buffer>>): BootTreeManifest {
  const files = Object.entries(contents).map(([name, content]) => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    return [name, { sha256, sizeBytes: content.length }] as const;
  });
  return {
    versions: { uBoot: "test", firmware: "test", kernel: "test" },
    targets: [],
    files: Object.fromEntries(files),
  };
}

/**
 * Files in the places of those that the boards' firmware and boot ROM fetch from a boot tree that was built. What is in
 * them does not matter, but for config.txt: a simulated board carries its firmware and U-Boot itself.
 */
function standInFirmware(): Readonly<Record<string, Buffer>> {
  return {
    ...Object.fromEntries(filesOfBuiltTree.map((name) => [name, Buffer.from(`stands in for ${name}\n`)])),
    "config.txt": Buffer.from(renderConfigTxt()),
  };
}

/** Writes the controller's config file and the boot tree. Returns the path of the file. */
async function writeController(
  folder: string,
  stateDirectory: string,
  listen: string,
  socket: string,
  options: RackOptions,
): Promise<string> {
  const { kernel, initrd } = options.agentBoot ?? { kernel: fakeKernel(), initrd: Buffer.alloc(16 * 1024, 0x55) };
  const bootTree = path.join(folder, "boot");
  await mkdir(path.join(bootTree, "agent"), { recursive: true });
  const contents = { "agent/vmlinuz": kernel, "agent/initrd.img": initrd, ...standInFirmware() };
  for (const [name, content] of Object.entries(contents)) await writeFile(path.join(bootTree, name), content);
  await writeFile(path.join(bootTree, "manifest.json"), JSON.stringify(describeTree(contents)));
  const { reimage, bootProfile, ...settings } = options.settings ?? {};
  const config = {
    stateDirectory,
    bootTree,
    socket,
    listen,
    bootProfile: {
      // A simulated Pi has its root filesystem on this machine, and waits as long as a panic says.
      ...(options.makeBoard === undefined && {
        agent: { append: ["root=/dev/nfs", `nfsroot=${listen}:/srv/rootfs,ro`, "ip=dhcp", "panic=10"] },
        local: { append: ["panic=10"] },
      }),
      ...(bootProfile as object | undefined),
    },
    reimage: {
      bootTimeoutMs: 120_000,
      proveTimeoutMs: 120_000,
      // A controller of an earlier commit has no such setting, and refuses what it does not know.
      ...(options.controllerCheckout === undefined && { longestBootMs: 240_000 }),
      retryDelayMs: 500,
      rebootRetryMs: 5000,
      fetchRetryDelayMs: 1000,
      ...(reimage as object | undefined),
    },
    ...settings,
  };
  const file = path.join(folder, "controller.yaml");
  await writeFile(file, stringify(config));
  return file;
}
