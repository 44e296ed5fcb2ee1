import type { AgentInfo } from "../../proto/node/agent-info.ts";
import { describeTaskChange, taskChanges } from "../../proto/system/tasks/task-changes.ts";
import type { NewEvent } from "../events/event.ts";

const types = { started: "task-started", finished: "task-finished", failed: "task-failed" } as const;

/** What to tell of the tasks that a node reports, after what it reported before. What they wrote is not told. */
export function describeTasks(
  name: string,
  before: AgentInfo | undefined,
  { tasks }: AgentInfo,
): readonly Pick<NewEvent, "type" | "severity" | "message">[] {
  if (tasks === undefined) return [];
  const problem = tasks.problem !== undefined && tasks.problem !== before?.tasks?.problem ? tasks.problem : undefined;
  return [
    ...(problem === undefined
      ? []
      : [{ type: "task-failed", severity: "error", message: `${name} cannot run its tasks: ${problem}` } as const]),
    ...taskChanges(before?.tasks, tasks).map(
      (change) =>
        ({
          type: types[change.kind],
          severity: change.kind === "failed" ? "error" : "info",
          message: `${name}: ${describeTaskChange(change)}`,
        }) as const,
    ),
  ];
}
