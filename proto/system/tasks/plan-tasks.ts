import { cutText } from "../../cut-text.ts";
import { limits } from "../../limits.ts";
import type { TaskConfig } from "../system-config.ts";
import type { TasksFile } from "./render-tasks.ts";
import type { TaskResult, TasksState } from "./tasks-state.ts";

/*
 * What runs next, from what the tasks are and what is kept of them. A task is written down as running before it starts
 * and by its end after it: so one that has ended is never run again, and one that a power cut has ended is.
 *
 *   waiting ──▶ running ──▶ succeeded
 *      ▲          │  └────▶ failed ── retry ──▶ waiting
 *      └── found so at a start of the runner, fewer than 3 times; then failed
 *
 * The tasks run in their order, and one that has failed holds up those after it.
 */

/** How often a task may be started without an end, before it counts as one that ends its own node. */
export const mostStarts = 3;

/** How a task has ended. */
export interface TaskEnd {
  /** Absent when it has succeeded. */
  readonly problem?: string;
  readonly exitCode?: number;
  readonly output?: string;
}

/**
 * The state in which a runner begins: of what was kept, as far as it is about these tasks.
 *
 * @param kept undefined at the first start
 * @param retries whether what has failed is to run again
 */
export function resumeTasks(file: TasksFile, kept: TasksState | undefined, retries: boolean): TasksState {
  // Of a system that was copied from another node's card, for example.
  const known = kept?.configDigest === file.configDigest ? kept.tasks : [];
  const tasks = file.tasks.map(({ name }): TaskResult => {
    const found = known.find((task) => task.name === name) ?? { name, state: "waiting", starts: 0 };
    if (found.state === "running" && !retries) return interrupted(found);
    return found.state === "running" || (found.state === "failed" && retries)
      ? { name, state: "waiting", starts: 0 }
      : found;
  });
  return { configDigest: file.configDigest, tasks };
}

/** The task that is to run now; undefined when all have succeeded, or one has failed. */
export function nextTask(file: TasksFile, state: TasksState): TaskConfig | undefined {
  const next = state.tasks.find((task) => task.state !== "succeeded");
  return next?.state === "waiting" ? file.tasks.find(({ name }) => name === next.name) : undefined;
}

/** The state after a task was started; `now` in milliseconds since the epoch. */
export function taskStarted(state: TasksState, name: string, now: number): TasksState {
  return replace(state, name, ({ starts }) => ({
    ...{ name, state: "running", starts: starts + 1, startedAt: new Date(now).toISOString() },
  }));
}

/** The state after a task has ended. */
export function taskEnded(state: TasksState, name: string, end: TaskEnd, now: number): TasksState {
  const { problem, exitCode, output } = end;
  const endedAt = new Date(now).toISOString();
  return replace(state, name, (task) => ({
    ...task,
    ...{ state: problem === undefined ? "succeeded" : "failed", endedAt },
    ...(exitCode !== undefined && { exitCode }),
    ...(problem !== undefined && { problem: cutText(problem, limits.tasks.problemCharacters.most) }),
    // What comes of one that has succeeded is in the node's journal.
    ...(problem !== undefined && output && { output: cutText(output, limits.tasks.outputCharacters.most) }),
  }));
}

function interrupted(task: TaskResult): TaskResult {
  if (task.starts < mostStarts) return { name: task.name, state: "waiting", starts: task.starts };
  const problem = `the node, or what runs its tasks, ended ${task.starts} times while it ran`;
  return { ...task, state: "failed", problem };
}

function replace(state: TasksState, name: string, change: (task: TaskResult) => TaskResult): TasksState {
  return { ...state, tasks: state.tasks.map((task) => (task.name === name ? change(task) : task)) };
}
