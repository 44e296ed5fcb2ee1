import type * as wire from "../gen/pallet/v1/node.ts";
import type { TasksReport } from "../system/tasks/report-tasks.ts";
import type { TaskResult } from "../system/tasks/tasks-state.ts";
import { taskStates } from "../words/task-state.ts";

/** How far the tasks of a system are, as it travels. */
export function tasksToWire({ configDigest, tasks, problem = "" }: TasksReport): wire.TasksReport {
  return { configDigest, tasks: tasks.map(taskToWire), problem };
}

/** The same as it travelled, whatever it says; a state that only newer peers know counts as running. */
export function tasksFromWire({ configDigest, tasks, problem }: wire.TasksReport): TasksReport {
  return { configDigest, tasks: tasks.map(taskFromWire), ...(problem !== "" && { problem }) };
}

function taskToWire(task: TaskResult): wire.TaskResult {
  return {
    name: task.name,
    state: taskStates.toWire(task.state),
    starts: task.starts,
    startedAt: task.startedAt === undefined ? undefined : new Date(task.startedAt),
    endedAt: task.endedAt === undefined ? undefined : new Date(task.endedAt),
    exitCode: task.exitCode,
    problem: task.problem ?? "",
    output: task.output ?? "",
  };
}

function taskFromWire(task: wire.TaskResult): TaskResult {
  const { name, starts, exitCode, problem, output } = task;
  const [startedAt, endedAt] = [timeFromWire(task.startedAt), timeFromWire(task.endedAt)];
  return {
    name,
    state: taskStates.fromWire(task.state) ?? "running",
    starts,
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(exitCode !== undefined && { exitCode }),
    ...(problem !== "" && { problem }),
    ...(output !== "" && { output }),
  };
}

/** Undefined for a time that no date can hold. */
function timeFromWire(at: Date | undefined): string | undefined {
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
