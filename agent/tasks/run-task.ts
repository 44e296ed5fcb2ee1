import { randomUUID } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { TaskConfig } from "../../proto/system/system-config.ts";
import type { TaskEnd } from "../../proto/system/tasks/plan-tasks.ts";
import { readIfThere } from "../linux/read-if-there.ts";
import { endGroup, killLeftovers } from "./end-group.ts";
import { findUser, planRun, type TaskUser } from "./plan-run.ts";
import { makeTaskFolder, type TaskFolder } from "./task-folder.ts";
import { createTaskOutput, type TaskOutput } from "./task-output.ts";

/** Where a task runs. */
export interface TaskPlace {
  /** Folder for its files. */
  readonly runFolder: string;
  /** Of users, as passwd(5) has it. */
  readonly passwdFile: string;
  readonly print: (line: string) => void;
}

/** The one whom every system has. */
const root: TaskUser = { name: "root", uid: 0, gid: 0, home: "/" };

/** How long to wait for the rest of what a task wrote once nothing of it runs any more, in milliseconds. */
const lastWordsMs = 1_000;

/**
 * Runs a task to its end, which is an end in any case: what it started is ended with it. Undefined when the signal ended it
 * before it had succeeded: then nothing is known of it, and it has to run again.
 */
export async function runTask(task: TaskConfig, place: TaskPlace, signal: AbortSignal): Promise<TaskEnd | undefined> {
  const wanted = task.user ?? "root";
  const user = findUser(await readPasswd(place.passwdFile), wanted) ?? (wanted === root.name ? root : undefined);
  if (user === undefined) return { problem: `there is no user ${wanted} in ${place.passwdFile}` };
  const folder = await makeTaskFolder(place.runFolder, task, user);
  const output = createTaskOutput(Object.values(task.secrets ?? {}), place.print);
  try {
    const runId = randomUUID();
    const planned = planRun(task, user, folder, runId);
    const end = await run({ ...planned, home: user.home }, { runId, folder, output, task, signal });
    return end && { ...end, output: output.lastLines() };
  } finally {
    await folder.remove();
  }
}

/** A system of few programs may have no users but root. */
async function readPasswd(path: string): Promise<string> {
  return (await readIfThere(path)) ?? "";
}

async function run(
  planned: {
    readonly program: string;
    readonly args: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly home: string;
  },
  about: {
    readonly runId: string;
    readonly folder: TaskFolder;
    readonly output: TaskOutput;
    readonly task: TaskConfig;
    readonly signal: AbortSignal;
  },
): Promise<TaskEnd | undefined> {
  const { runId, folder, output, task, signal } = about;
  // In this order neither waits for the other; the socket closes the one that it reads.
  const reading = openSync(folder.output, constants.O_RDONLY | constants.O_NONBLOCK);
  // execa takes any descriptor; its types know those up to 9.
  const writing = openSync(folder.output, constants.O_WRONLY) as 3;
  const pipe = new Socket({ fd: reading, readable: true, writable: false });
  const drained = new Promise<void>((resolve) => pipe.once("close", () => resolve()));
  pipe.on("data", (chunk: Buffer) => output.push(chunk)).on("error", () => undefined);
  try {
    const child = execa(planned.program, planned.args, {
      ...{ stdin: "ignore", stdout: writing, stderr: writing, buffer: false, reject: false },
      ...{ env: planned.environment, extendEnv: false, cwd: planned.home },
    });
    const ended = child.then((result) => result);
    const { pid } = child;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), task.timeoutMs);
    const told = new Promise<void>((resolve) => {
      for (const each of [signal, late.signal]) each.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([ended, told]);
    if (pid !== undefined) {
      if (late.signal.aborted || signal.aborted) await endGroup(pid, ended);
      await killLeftovers(pid, runId);
    }
    clearTimeout(timer);
    const result = await ended;
    closeSync(writing);
    const done = new AbortController();
    await Promise.race([drained, delay(lastWordsMs, undefined, { signal: done.signal }).catch(() => undefined)]);
    done.abort();
    output.end();
    const { exitCode } = result;
    if (exitCode === 0 && !late.signal.aborted) return { exitCode };
    if (late.signal.aborted)
      return { problem: `it did not end within ${task.timeoutMs / 1000} s, and was ended with all that it started` };
    if (signal.aborted) return undefined;
    if (exitCode !== undefined) return { exitCode, problem: `exit code ${exitCode}` };
    if (result.signal !== undefined) return { problem: `a signal ended it (${result.signal})` };
    return { problem: `it cannot be started: ${messageOf(result.cause)}` };
  } finally {
    pipe.destroy();
    await drained;
  }
}
