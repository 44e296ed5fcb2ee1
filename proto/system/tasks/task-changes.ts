import type { TasksReport } from "./report-tasks.ts";
import type { TaskResult } from "./tasks-state.ts";

/** Something that has become of a task. */
export interface TaskChange {
  readonly kind: "started" | "finished" | "failed";
  readonly task: TaskResult;
}

/**
 * What has become of tasks between two reports, in their order. A report of other tasks, or none, counts as one from before
 * their first start; of a task that has ended meanwhile, only its end is told.
 */
export function taskChanges(before: TasksReport | undefined, now: TasksReport): readonly TaskChange[] {
  const known = before?.configDigest === now.configDigest ? before.tasks : [];
  return now.tasks.flatMap((task): readonly TaskChange[] => {
    const was = known.find(({ name }) => name === task.name);
    if (was !== undefined && was.state === task.state && was.starts === task.starts) return [];
    if (task.state === "waiting") return [];
    const kind = { running: "started", succeeded: "finished", failed: "failed" } as const;
    return [{ kind: kind[task.state], task }];
  });
}

/** What has become of a task, as a sentence without a full stop. */
export function describeTaskChange({ kind, task }: TaskChange): string {
  const { name, starts, problem = "for an unknown reason" } = task;
  if (kind === "failed") return `task ${name} failed: ${problem}`;
  if (kind === "finished") return `task ${name} succeeded`;
  return `task ${name} started${starts > 1 ? `, for the ${starts}. time because it was interrupted` : ""}`;
}
