import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { Failure, messageOf } from "../../proto/failure.ts";
import { parseTasks } from "../../proto/system/tasks/parse-tasks.ts";
import { nextTask, resumeTasks } from "../../proto/system/tasks/plan-tasks.ts";
import { reportTasks, type TasksReport } from "../../proto/system/tasks/report-tasks.ts";
import { describeTaskChange, taskChanges } from "../../proto/system/tasks/task-changes.ts";
import { parseTasksState } from "../../proto/system/tasks/tasks-state.ts";
import { type Bell, createBell } from "../../proto/time/bell.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import { readIfThere } from "../linux/read-if-there.ts";
import type { TaskPaths } from "./task-paths.ts";

/** What the watch needs. */
export interface TasksWatch {
  readonly paths: TaskPaths;
  /** Runs what is left of the tasks, and resolves at the end of that; undefined where the init system has a unit for it. */
  readonly run: (() => Promise<unknown>) | undefined;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

/** The tasks of the installed system, as they were last seen. */
export interface WatchedTasks {
  /** Undefined where the system has none. */
  current(): TasksReport | undefined;
  /** Rings when they have changed. */
  readonly changed: Bell;
  /** Resolves once they have been looked at for the first time. */
  readonly ready: Promise<void>;
  /** Has them go on from the one that has failed. Rejects with a Failure: "invalid" when none has. */
  retry(): Promise<void>;
  stop(): void;
}

/** Two files are looked at by their times: cheap enough for that often. */
const intervalMs = 2_000;
/** Wait before tasks are run again after their runner has broken off, in milliseconds. */
const againMs = 10_000;

/** Looks at the tasks every two seconds, tells the log what has become of them, and runs them where no unit does. */
export function watchTasks({ paths, run, clock, log }: TasksWatch): WatchedTasks {
  const changed = createBell();
  let report: TasksReport | undefined;
  let isLeft = false;
  let isAsked = false;
  let seen = "";
  let running = false;
  let notBefore = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const now = `${await traceOf(paths.tasksFile)} ${await traceOf(paths.stateFile)}`;
    if (now !== seen) {
      const read = await readTasks(paths);
      if (read.report !== undefined) tell(report, read.report, log);
      ({ report, isLeft } = read);
      seen = now;
      changed.ring();
    }
    if (run === undefined || running) return;
    if (isAsked || (isLeft && clock.now() >= notBefore)) start(run);
  }

  function start(program: () => Promise<unknown>): void {
    running = true;
    isAsked = false;
    notBefore = clock.now() + againMs;
    program()
      .catch((error: unknown) => log.error({ err: error }, "the tasks of this system cannot be run"))
      .finally(() => {
        running = false;
      });
  }

  /** One look at a time; a failure is the trouble of this look alone. */
  function lookOnce(): Promise<void> {
    looking ??= look()
      .catch((error: unknown) => log.warn({ err: error }, "could not look at the tasks of this system"))
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  const ready = lookOnce();
  const stopped = new AbortController();
  every(clock, intervalMs, lookOnce, stopped.signal);
  return {
    current: () => report,
    changed,
    ready,
    async retry() {
      await lookOnce();
      const mayRun = report?.problem !== undefined || report?.tasks.some(({ state }) => state === "failed") === true;
      if (!mayRun) throw new Failure("invalid", "no task of this system has failed, so there is none to try again");
      await mkdir(dirname(paths.retryFile), { recursive: true });
      await writeFile(paths.retryFile, "");
      log.info("the failed tasks of this system are to be tried again");
      isAsked = true;
      await lookOnce();
    },
    stop: () => stopped.abort(),
  };
}

/** What tells whether a file has changed. */
async function traceOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}-${size}-${mtimeMs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? messageOf(error);
  }
}

/** Files that cannot be read, or are broken, are what is reported. */
async function readTasks(
  paths: TaskPaths,
): Promise<{ readonly report: TasksReport | undefined; readonly isLeft: boolean }> {
  let report: TasksReport = { configDigest: "", tasks: [] };
  try {
    const text = await readIfThere(paths.tasksFile);
    if (text === undefined) return { report: undefined, isLeft: false };
    const file = parseTasks(text);
    report = reportTasks(file, undefined);
    const kept = await readIfThere(paths.stateFile);
    const state = kept === undefined ? undefined : parseTasksState(kept);
    // One that runs is left, too: its runner may be gone, and another one finds that out.
    const isLeft = nextTask(file, resumeTasks(file, state, false)) !== undefined;
    return { report: reportTasks(file, state), isLeft };
  } catch (error) {
    return { report: { ...report, problem: messageOf(error) }, isLeft: false };
  }
}

/** What was so when the agent started is no news, but for what runs or has failed. */
function tell(before: TasksReport | undefined, now: TasksReport, log: TasksWatch["log"]): void {
  if (now.problem !== undefined && now.problem !== before?.problem) log.error(now.problem);
  for (const change of taskChanges(before, now)) {
    const { kind, task } = change;
    if (before === undefined && kind === "finished") continue;
    const { name, exitCode, output } = task;
    const details = { task: name, ...(exitCode !== undefined && { exitCode }), ...(output && { output }) };
    log[kind === "failed" ? "error" : "info"](details, describeTaskChange(change));
  }
}
