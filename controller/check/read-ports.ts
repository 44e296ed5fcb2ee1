import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { brokerSocket } from "../config/broker-socket.ts";
import { parseSockets, parseUnit, parseUnixSocket } from "../network/parse-sockets.ts";
import { databaseIn } from "../store/replace-state.ts";
import type { HeldPort } from "./held-port.ts";

const tables = [
  ["tcp", "TCP"],
  ["tcp6", "TCP"],
  ["udp", "UDP"],
  ["udp6", "UDP"],
] as const;

/** Processes of this machine, as far as this user may see them. */
interface Processes {
  /** Ids of the processes that have a socket open, by its inode. */
  readonly owners: ReadonlyMap<number, readonly number[]>;
  /** Ids of those that have the file open that was asked about. */
  readonly users: readonly number[];
  readonly parents: ReadonlyMap<number, number>;
}

/** What a running controller has open: the unix socket once it answers commands, the database from before its first port. */
interface ControllerPaths {
  readonly socket: string;
  readonly stateDirectory: string;
}

/**
 * Ports of this machine on which something waits, and whose they are. What belongs to the controller of these paths, to
 * its broker, or to a program that they started, is left out: they will give them up before another takes their place.
 */
export async function readPorts({ socket, stateDirectory }: ControllerPaths): Promise<readonly HeldPort[]> {
  const listed = await Promise.all(
    tables.map(async ([name, protocol]) => parseSockets(await readText(`/proc/net/${name}`), protocol)),
  );
  const database = databaseIn(stateDirectory);
  const { owners, parents, users } = await readProcesses(await realpath(database).catch(() => database));
  const unixSockets = await readText("/proc/net/unix");
  const listeners = [socket, brokerSocket].flatMap((path) => {
    const inode = parseUnixSocket(unixSockets, path);
    return (inode !== undefined && owners.get(inode)) || [];
  });
  const controllers = [...users, ...listeners];
  const isControllers = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (controllers.includes(at)) return true;
    return false;
  };
  const ports: HeldPort[] = [];
  for (const { inode: own, ...socket } of listed.flat()) {
    const pid = owners.get(own)?.[0];
    if (pid !== undefined && isControllers(pid)) continue;
    ports.push({ ...socket, ...(pid !== undefined && { process: await describeProcess(pid) }) });
  }
  return ports;
}

async function describeProcess(pid: number): Promise<NonNullable<HeldPort["process"]>> {
  const unit = parseUnit(await readText(`/proc/${pid}/cgroup`));
  const name = (await readText(`/proc/${pid}/comm`)).trim();
  return { pid, name, ...(unit !== undefined && { unit }) };
}

async function readProcesses(file: string): Promise<Processes> {
  const owners = new Map<number, number[]>();
  const users: number[] = [];
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    // proc_pid_stat(5): the name, in parentheses, may hold any character.
    const parent = /^\d+ \(.*\) \S (\d+) /s.exec(await readText(`/proc/${pid}/stat`))?.[1];
    if (parent !== undefined) parents.set(pid, Number(parent));
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(goneOrForeign)) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(goneOrForeign);
      if (target === file) users.push(pid);
      const inode = /^socket:\[(\d+)\]$/.exec(String(target))?.[1];
      if (inode !== undefined) owners.set(Number(inode), [...(owners.get(Number(inode)) ?? []), pid]);
    }
  }
  return { owners, parents, users };
}

/** The text of a file of /proc; empty for what has since ended, or is not for this user's eyes. */
async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/** Of a process that has since ended, or is another user's, nothing is seen. */
function goneOrForeign(): readonly string[] {
  return [];
}
