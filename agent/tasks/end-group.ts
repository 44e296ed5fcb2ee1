import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { runVariable } from "./plan-run.ts";
import { type FoundProcess, hasVariable, selectOwnGroup, selectStrays } from "./select-strays.ts";

/** How long what is asked to end has for it, in milliseconds. */
const graceMs = 5_000;
const lookMs = 50;

/** Asks a process group to end, and kills what has not after five seconds. Resolves when its leader has ended. */
export async function endGroup(leader: number, ended: Promise<unknown>): Promise<void> {
  signalGroup(leader, "SIGTERM");
  const given = new AbortController();
  await Promise.race([ended, delay(graceMs, undefined, { signal: given.signal }).catch(() => undefined)]);
  given.abort();
  signalGroup(leader, "SIGKILL");
  await ended;
}

/**
 * Kills what a task has left behind: in its process group; where tasks have a control group of their own, there; and
 * elsewhere, whatever has its variable, also in a session of its own.
 *
 * @param runId that it was given, which no other process has
 */
export async function killLeftovers(leader: number, runId: string): Promise<void> {
  signalGroup(leader, "SIGKILL");
  const group = selectOwnGroup(await readFile("/proc/self/cgroup", "utf8").catch(() => ""));
  // One that forks while it is looked for is found the next time.
  for (let round = 0; round < 20; round++) {
    const strays = group === undefined ? await processesOf(runId) : selectStrays(await processesIn(group), process.pid);
    if (strays.length === 0) return;
    for (const pid of strays) signal(pid, "SIGKILL");
    await delay(lookMs);
  }
}

async function processesOf(runId: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // Empty of one that has ended, and waits for its parent to ask.
    const environ = await readFile(`/proc/${name}/environ`, "latin1").catch(() => "");
    if (hasVariable(environ, runVariable, runId)) found.push(Number(name));
  }
  return found;
}

async function processesIn(group: string): Promise<readonly FoundProcess[]> {
  const pids = (await readFile(`/sys/fs/cgroup${group}/cgroup.procs`, "utf8").catch(() => "")).split("\n");
  const found: FoundProcess[] = [];
  for (const pid of pids.filter(Boolean)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => undefined);
    const parent = status === undefined ? undefined : /^PPid:\s*(\d+)$/m.exec(status)?.[1];
    if (parent !== undefined) found.push({ pid: Number(pid), parent: Number(parent) });
  }
  return found;
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  signal(-leader, name);
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
