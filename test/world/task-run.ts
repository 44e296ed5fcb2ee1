import { nextTask, resumeTasks, taskEnded, taskStarted } from "../../proto/system/tasks/plan-tasks.ts";
import type { TasksFile } from "../../proto/system/tasks/render-tasks.ts";
import { reportTasks, type TasksReport } from "../../proto/system/tasks/report-tasks.ts";
import type { TasksState } from "../../proto/system/tasks/tasks-state.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import type { Recorder } from "./history/history.ts";
import type { Random } from "./random.ts";

export type TaskFault = "fails" | "hangs" | "slow";

/** What a card holds of the tasks of its system. */
export interface CardTasks {
  readonly file: TasksFile;
  /** What the node remembers of them over power cuts. */
  kept: TasksState | undefined;
}

/** The tasks of a system that runs. */
export interface TaskRun {
  report(): TasksReport;
  /** Whether any has failed, so that they may be tried again. */
  hasFailed(): boolean;
  retry(): void;
}

/**
 * Runs what is left of a system's tasks, as agent/tasks does, from this boot until `life` ends.
 *
 * @param changed called when there is something new to report
 */
export function startTasks(
  tasks: CardTasks,
  {
    about,
    life,
    clock,
    random,
    recorder: { note },
    nextFault,
    changed,
  }: {
    readonly about: { readonly board: string; readonly card: string; readonly reimage: string };
    readonly life: AbortSignal;
    readonly clock: Clock;
    readonly random: Random;
    readonly recorder: Recorder;
    readonly nextFault: () => TaskFault | undefined;
    readonly changed: () => void;
  },
): TaskRun {
  const { file } = tasks;
  let isRunning = false;

  function keep(state: TasksState): void {
    tasks.kept = state;
    // The agent looks every two seconds.
    clock.setTimeout(changed, random.between(0, 2_000), life);
  }

  async function run(retries: boolean): Promise<void> {
    let state = resumeTasks(file, tasks.kept, retries);
    keep(state);
    for (let task = nextTask(file, state); task !== undefined; task = nextTask(file, state)) {
      const { name, timeoutMs } = task;
      state = taskStarted(state, name, clock.now());
      keep(state);
      const fault = nextFault();
      note({ what: "task", ...about, task: name, is: "started" });
      const usualMs = random.between(1_000, 25_000);
      await pause(clock, fault === "hangs" ? timeoutMs : fault === "slow" ? usualMs * 10 : usualMs, life);
      const problem =
        fault === "hangs" ? `it took longer than ${timeoutMs / 1000} s` : fault === "fails" ? "exit code 3" : undefined;
      state = taskEnded(state, name, problem === undefined ? {} : { problem, output: "no space left" }, clock.now());
      note({ what: "task", ...about, task: name, is: problem === undefined ? "succeeded" : "failed" });
      keep(state);
    }
  }

  function start(retries: boolean): void {
    if (isRunning) return;
    isRunning = true;
    run(retries).then(
      () => {
        isRunning = false;
      },
      (error: unknown) => {
        if (!life.aborted) throw error;
      },
    );
  }

  start(false);
  return {
    report: () => reportTasks(file, tasks.kept),
    hasFailed: () => tasks.kept?.tasks.some(({ state }) => state === "failed") === true,
    retry: () => start(true),
  };
}
