import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskRunner } from "../../../../agent/tasks/run-tasks.ts";
import type { TaskConfig } from "../../../../proto/system/system-config.ts";
import { parseTasks } from "../../../../proto/system/tasks/parse-tasks.ts";
import { renderTasks } from "../../../../proto/system/tasks/render-tasks.ts";
import { parseTasksState, type TaskResult } from "../../../../proto/system/tasks/tasks-state.ts";

/** A system with tasks, in a folder. */
export interface SystemWithTasks {
  readonly folder: string;
  readonly runner: TaskRunner;
  /** What was printed for the journal. */
  readonly journal: readonly string[];
  /** The tasks, as they are on the disk now. */
  tasks(): Promise<readonly TaskConfig[]>;
  /** What is kept of them. */
  results(): Promise<readonly TaskResult[]>;
  /** Puts other tasks in the place of these. */
  change(tasks: readonly TaskConfig[]): Promise<void>;
  retry(): Promise<void>;
  remove(): Promise<void>;
}

const configDigest = "ab".repeat(32);

/** A task that is a script of the shell. */
export function script(name: string, text: string, more: Partial<TaskConfig> = {}): TaskConfig {
  return { name, run: { kind: "script", text: `#!/bin/sh\n${text}\n` }, timeoutMs: 60_000, ...more };
}

/** Makes it; everything of it lies in the folder that is given. */
export async function makeSystem(tasks: (folder: string) => readonly TaskConfig[]): Promise<SystemWithTasks> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-tasks-"));
  // Other users pass through it to the files of their runs.
  await chmod(folder, 0o711);
  const journal: string[] = [];
  const place = (name: string) => join(folder, name);
  await mkdir(place("etc"));
  await writeFile(place("etc/tasks.json"), renderTasks(tasks(folder), configDigest), { mode: 0o600 });
  const runner: TaskRunner = {
    tasksFile: place("etc/tasks.json"),
    stateFolder: place("state"),
    retryFile: place("retry"),
    runFolder: place("run"),
    passwdFile: "/etc/passwd",
    waitForNetwork: async () => true,
    print: (line) => journal.push(line),
    now: () => Date.now(),
  };
  return {
    ...{ folder, runner, journal },
    tasks: async () => parseTasks(await readFile(runner.tasksFile, "utf8")).tasks,
    results: async () => parseTasksState(await readFile(place("state/state.json"), "utf8")).tasks,
    change: (next) => writeFile(place("etc/tasks.json"), renderTasks(next, configDigest)),
    retry: () => writeFile(runner.retryFile, ""),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
