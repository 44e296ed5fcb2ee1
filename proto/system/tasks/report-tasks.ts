import { resumeTasks } from "./plan-tasks.ts";
import type { TasksFile } from "./render-tasks.ts";
import type { TaskResult, TasksState } from "./tasks-state.ts";

/** How far the tasks of an installed system are; see pallet.v1.TasksReport. Plain data. */
export interface TasksReport {
  /** Which config they belong to; empty when the file that says it cannot be read. */
  readonly configDigest: string;
  readonly tasks: readonly TaskResult[];
  /** Why nothing is known of them, or none can run. */
  readonly problem?: string;
}

/** What to report of tasks, from what they are and what is kept of them; `kept` is undefined before the first start. */
export function reportTasks(file: TasksFile, kept: TasksState | undefined): TasksReport {
  const known = kept?.configDigest === file.configDigest ? kept.tasks : [];
  const { configDigest, tasks } = resumeTasks(file, undefined, false);
  return { configDigest, tasks: tasks.map((task) => known.find(({ name }) => name === task.name) ?? task) };
}

/** The task that decides where they stand: the first that has not succeeded; undefined when all have. */
export function currentTask({ tasks }: Pick<TasksReport, "tasks">): TaskResult | undefined {
  return tasks.find(({ state }) => state !== "succeeded");
}

/** Whether both say the same. */
export function sameReports(one: TasksReport | undefined, other: TasksReport | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
