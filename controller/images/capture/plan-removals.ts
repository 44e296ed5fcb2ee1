import { agentPrograms } from "../../../proto/system/agent-program.ts";
import { inittabPath } from "../../../proto/system/choose-init-system.ts";
import { removeAgentFromInittab } from "../../../proto/system/inittab.ts";
import { agentUnitPaths } from "../../../proto/system/plan-agent-start.ts";
import { tasksStateFile, tasksStateFolder } from "../../../proto/system/tasks/tasks-state.ts";

/** Where Pallet keeps all that is about one node: key, stamp, settings. */
export const palletFolder = "/etc/pallet";

/** Folders that hold a host's keys, and how these are called there. */
export const hostKeys: readonly { readonly folder: string; readonly names: RegExp }[] = [
  { folder: "/etc/ssh", names: /^ssh_host_[A-Za-z0-9_.-]+$/ },
  { folder: "/etc/dropbear", names: /^dropbear_[a-z0-9]+_host_key$/ },
];

export const machineIdPath = "/etc/machine-id";
export const hostNamePath = "/etc/hostname";
export const hostsPath = "/etc/hosts";

/**
 * Files that make a system one node's, besides its host keys: what systemd's "Safely Building Images"
 * (systemd.io/BUILDING_IMAGES) says to reset, and D-Bus's copy of the machine id.
 */
export const ownFiles: readonly string[] = [
  hostNamePath,
  "/var/lib/dbus/machine-id",
  "/var/lib/systemd/random-seed",
  "/var/lib/systemd/credential.secret",
];

/** Pallet's own program, what starts it, and what became of the node's tasks. */
export const residentFiles: readonly string[] = [
  agentPrograms.resident,
  ...agentUnitPaths,
  `${tasksStateFolder}/${tasksStateFile}`,
];

/** What of all this a root filesystem has. Paths without links. */
export interface OwnThings {
  /** Files in `palletFolder`, however deep. */
  readonly palletFiles: readonly string[];
  /** Its folders, the deepest first, itself last. */
  readonly palletFolders: readonly string[];
  /** The rest is looked for only to generalise. */
  readonly files: readonly string[];
  /** Texts of the files that are edited; absent where there is none. */
  readonly machineId?: string;
  readonly hostName?: string;
  readonly hosts?: string;
  readonly inittab?: string;
}

/** A file to write anew. */
export interface RewrittenFile {
  readonly path: string;
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** What to change in a root filesystem. */
export interface Removals {
  readonly files: readonly string[];
  /** In this order. */
  readonly folders: readonly string[];
  readonly rewritten: readonly RewrittenFile[];
  /** What a person is told, an item each. */
  readonly told: readonly string[];
}

/**
 * What is taken out of the copy of a card. All of `palletFolder` always: its key proves to be this node, and its stamp and
 * settings say that the system is this node's, which no other card with the image may say. The rest to generalise.
 *
 * machine-id(5) stays as an empty file, which the next boot fills; without the file, systemd would take that boot for the
 * first one ever, and reset which units are enabled. Done again, there is nothing left to do.
 */
export function planRemovals(found: OwnThings, generalise: boolean): Removals {
  const pallet = found.palletFolders.length === 0 ? [] : [`${palletFolder} (Pallet's key, stamp and settings)`];
  if (!generalise) return { files: found.palletFiles, folders: found.palletFolders, rewritten: [], told: pallet };
  const rewritten: RewrittenFile[] = [];
  const told = [...pallet, ...found.files];
  const rewrite = (path: string, was: string | undefined, text: string, mode: number, how: string): void => {
    if (was === undefined || was === text) return;
    rewritten.push({ path, text, mode });
    told.push(`${path} (${how})`);
  };
  rewrite(machineIdPath, found.machineId, "", 0o444, "emptied");
  const { hosts, hostName, inittab } = found;
  rewrite(hostsPath, hosts, hosts === undefined ? "" : withoutHostName(hosts, hostName ?? ""), 0o644, "its own name");
  const line = "the line that starts Pallet's agent";
  rewrite(inittabPath, inittab, removeAgentFromInittab(inittab ?? ""), 0o644, line);
  return { files: [...found.palletFiles, ...found.files], folders: found.palletFolders, rewritten, told };
}

/** Where Debian has a host's own name (Debian Reference, section 5.1.1). */
const ownNameAddress = "127.0.1.1";

/**
 * The text of hosts(5) without a host's own name: it goes from the lines for `ownNameAddress`, and a line goes that has no
 * other name. "localhost" stays, whatever the host is called.
 */
export function withoutHostName(hosts: string, hostName: string): string {
  const [own = ""] = hostName
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const short = own.split(".")[0] ?? "";
  const isOwn = (name: string): boolean => name === own || name.split(".")[0] === short;
  if (short === "" || short === "localhost") return hosts;
  return hosts
    .split("\n")
    .flatMap((line) => {
      const [, indent = "", address, names = "", comment = ""] = /^(\s*(\S+)\s+)([^#]*)(#.*)?$/.exec(line) ?? [];
      if (address !== ownNameAddress) return [line];
      const all = names.split(/\s+/).filter((name) => name !== "");
      const others = all.filter((name) => !isOwn(name));
      if (others.length === all.length) return [line];
      return others.length === 0 ? [] : [`${indent}${others.join(" ")}${comment === "" ? "" : ` ${comment}`}`];
    })
    .join("\n");
}

/**
 * What a renamed file of the firmware was called on the card: Pallet calls "start4.elf" "start4.off", so that a board
 * does not boot by itself (agent/customise/firmware-files.ts). Undefined for any other file.
 */
export function firmwareNameOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower === "bootcode.off") return "bootcode.bin";
  if (lower === "config.off") return "config.txt";
  return /^(start\w*|recovery)\.off$/.test(lower) ? lower.replace(/\.off$/, ".elf") : undefined;
}
