import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure, messageOf } from "../../proto/failure.ts";
import { lockFolder } from "../../proto/linux/lock-folder.ts";
import { parseTasks } from "../../proto/system/tasks/parse-tasks.ts";
import { nextTask, resumeTasks, taskEnded, taskStarted } from "../../proto/system/tasks/plan-tasks.ts";
import { renderTasks, type TasksFile, tasksMode, withoutSecrets } from "../../proto/system/tasks/render-tasks.ts";
import {
  parseTasksState,
  renderTasksState,
  type TasksState,
  tasksStateFile,
  tasksStateMode,
} from "../../proto/system/tasks/tasks-state.ts";
import { readIfThere } from "../linux/read-if-there.ts";
import { replaceFile } from "../linux/replace-file.ts";
import { runTask } from "./run-task.ts";

/** What running the tasks of this system needs. */
export interface TaskRunner {
  /** The file with the tasks. */
  readonly tasksFile: string;
  /** Folder of what is kept of them. */
  readonly stateFolder: string;
  /** The file that is there when what has failed is to run again. */
  readonly retryFile: string;
  /** Folder for the files of a run. */
  readonly runFolder: string;
  readonly passwdFile: string;
  /** Resolves when there is a network, or is none to wait for: whether there is one. */
  readonly waitForNetwork: (signal: AbortSignal) => Promise<boolean>;
  /** Prints a line for the node's journal. */
  readonly print: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Runs what is left of the tasks, one after the other, until all have succeeded, one has failed or the signal aborts. What
 * it knows is on the disk before it goes on. One runner is at work at a time; another one returns at once. Files that are
 * broken are told and left alone: nothing in them would be better the next time. Rejects with the filesystem's errors.
 */
export async function runTasks(runner: TaskRunner, signal: AbortSignal): Promise<void> {
  const { print, now } = runner;
  await mkdir(runner.stateFolder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(runner.stateFolder);
  if (lock === undefined) return print("the tasks of this system are being run already");
  try {
    // Of one that was killed.
    await rm(runner.runFolder, { recursive: true, force: true });
    const retries = await take(runner.retryFile);
    let file: TasksFile;
    let kept: TasksState | undefined;
    try {
      const text = await readIfThere(runner.tasksFile);
      if (text === undefined) return;
      file = parseTasks(text);
      kept = await readKept(runner, retries);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return print(error.message);
    }
    let state = resumeTasks(file, kept, retries);
    const keep = async (next: TasksState): Promise<void> => {
      state = next;
      await replaceFile(join(runner.stateFolder, tasksStateFile), renderTasksState(next), tasksStateMode);
    };
    /** Power may have gone between the end of a task and this. */
    const forgetSecrets = async (): Promise<void> => {
      const done = state.tasks.filter((task) => task.state === "succeeded");
      const without = done.reduce((sofar, { name }) => withoutSecrets(sofar, name), file);
      if (without === file) return;
      file = without;
      await replaceFile(runner.tasksFile, renderTasks(file.tasks, file.configDigest), tasksMode);
    };

    await keep(state);
    await forgetSecrets();
    if (nextTask(file, state) !== undefined && !(await runner.waitForNetwork(signal)) && !signal.aborted)
      print("no network has come up: running the tasks of this system without it");
    for (let task = nextTask(file, state); task !== undefined && !signal.aborted; task = nextTask(file, state)) {
      const { name } = task;
      await keep(taskStarted(state, name, now()));
      const { starts = 1 } = state.tasks.find((each) => each.name === name) ?? {};
      print(`${name}: started${starts > 1 ? ` for the ${starts}. time, because it was interrupted` : ""}`);
      const place = { ...runner, print: (line: string) => print(`${name}: ${line}`) };
      const end = await runTask(task, place, signal).catch((error: unknown) => ({ problem: messageOf(error) }));
      if (end === undefined) return print(`${name}: interrupted, and runs again when this system does`);
      await keep(taskEnded(state, name, end, now()));
      await forgetSecrets();
      print(`${name}: ${end.problem === undefined ? "succeeded" : `failed: ${end.problem}`}`);
    }
  } finally {
    await lock.release();
  }
}

/** Whether the file was there; it is not any more. */
async function take(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** What is kept that is broken is given up when all is to be tried again: then every task runs. */
async function readKept(runner: TaskRunner, retries: boolean): Promise<TasksState | undefined> {
  const text = await readIfThere(join(runner.stateFolder, tasksStateFile));
  if (text === undefined) return undefined;
  try {
    return parseTasksState(text);
  } catch (error) {
    if (retries) return undefined;
    throw error;
  }
}
