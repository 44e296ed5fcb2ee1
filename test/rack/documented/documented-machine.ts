import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { parse, stringify } from "yaml";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../programs/checkout.ts";
import { createControllerProcess } from "../controller-process.ts";
import { createNetwork } from "../network.ts";
import type { ManagementMachine } from "../rack.ts";
import { runCommandLine } from "../run-command-line.ts";
import { type BlockOptions, createMachineMounts } from "./machine-mounts.ts";
import { readBlock } from "./read-documentation.ts";

/** What the documentation's configuration says of the machine that a rack has to provide. */
interface DocumentedConfig {
  readonly listen: string;
  readonly dhcp: { readonly interface: string };
}

/** How to make a management machine as the documentation does. */
export interface DocumentedMachineOptions {
  /** Holds what the block "build" made in /var/lib/pallet; is copied. */
  readonly built: string;
  readonly cache: string;
  /** Becomes /run/pallet, where the controller's socket is; default: a folder of the rack's. */
  readonly runDirectory?: string;
  /** Keys of the configuration that are added to those that are printed, groups as objects. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Changes the copy of /var/lib/pallet before the controller starts. */
  readonly prepare?: (stateDirectory: string) => Promise<void>;
}

/** A management machine with a user who reads the documentation. */
export interface DocumentedMachine extends ManagementMachine {
  /** Where its user works: an empty folder but for dist/ and the npm packages. */
  readonly workingDirectory: string;
  /** Has the controller, from its next start on, read the documentation's configuration with these keys added to it. */
  configure(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs the block of that name; throws with all that it said when a command of it fails. */
  runDocumented(name: string, options?: BlockOptions): Promise<string>;
  /** The same with commands that are not the documentation's. */
  run(script: string, options?: BlockOptions): Promise<string>;
}

/**
 * Makes a management machine by the commands and with the configuration that the documentation prints: the blocks
 * "address", "config" and "check", once, and "serve". Everything else on it is a default.
 */
export async function createDocumentedMachine(
  folder: string,
  options: DocumentedMachineOptions,
): Promise<DocumentedMachine> {
  const { built, cache, settings = {}, runDirectory = path.join(folder, "run"), prepare } = options;
  const stateDirectory = path.join(folder, "state");
  await execa("cp", ["--archive", "--reflink=auto", built, stateDirectory]);
  const hidden = path.join(folder, "private");
  const workingDirectory = path.join(folder, "work");
  for (const place of [runDirectory, hidden, workingDirectory]) await mkdir(place, { recursive: true });
  for (const name of ["dist", "node_modules"])
    await symlink(path.join(checkout, name), path.join(workingDirectory, name));
  await prepare?.(stateDirectory);

  const config = await readBlock("config");
  const address = await readBlock("address");
  const serve = await readBlock("serve");
  const { listen, dhcp } = parse(config.text) as DocumentedConfig;
  const network = await createNetwork({ interface: dhcp.interface, address: listen, isConfigured: false });
  const folders = { state: stateDirectory, cache, run: runDirectory, work: workingDirectory, private: hidden };
  const mounts = await createMachineMounts(folders, network.namespace);
  await mounts.runBlock(address.text);
  // A block of configuration begins with the file's name, as a comment.
  const file = /^# (\/[\w./-]+)/.exec(config.text)?.[1];
  if (file === undefined) throw new Error("the documentation's configuration does not say which file it is");
  const configure = async (added: Readonly<Record<string, unknown>>): Promise<void> => {
    const text = Object.keys(added).length === 0 ? config.text : stringify(merged(parse(config.text), added));
    await mounts.runBlock(`cat >${file} <<'END'\n${text}END\n`);
  };
  await configure(settings);
  await mounts.runBlock((await readBlock("check")).text);

  return {
    network,
    controller: createControllerProcess(mounts.command("bash", "-euo", "pipefail", "-c", asProgram(serve.text))),
    stateDirectory,
    socket: path.join(runDirectory, "controller.sock"),
    workingDirectory,
    configure,
    runDocumented: async (name, options) => mounts.runBlock((await readBlock(name)).text, options),
    run: mounts.runBlock,
    pallet: (...args) => runCommandLine(mounts.command("dist/controller", ...args)),
    async close() {
      await mounts.close();
      await network.close();
    },
  };
}

/** The shell becomes the block's last command, so that a signal to the one reaches the other. */
function asProgram(script: string): string {
  const lines = script.trimEnd().split("\n");
  return [...lines.slice(0, -1), `exec ${lines.at(-1)}`].join("\n");
}

/** Keys of a group are added to it; others are replaced. */
function merged(base: unknown, added: unknown): unknown {
  const isGroup = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isGroup(base) || !isGroup(added)) return added;
  const entries = Object.entries(added).map(([key, value]) => [key, key in base ? merged(base[key], value) : value]);
  return { ...base, ...Object.fromEntries(entries) };
}
