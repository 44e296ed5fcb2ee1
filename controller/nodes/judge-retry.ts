import { precondition, type Refusal } from "../refusal/refusal.ts";
import type { Node } from "./node.ts";

/** Why a node's tasks cannot be tried again, as far as its last registration tells; undefined when they can. */
export function refusalOfRetry({ name, agent }: Pick<Node, "name" | "agent">): Refusal | undefined {
  // Before its first registration nobody answers, which says more.
  if (agent === undefined) return undefined;
  if (agent.role !== "resident")
    return precondition(`${name} is in the agent, and tasks are those of its system: controller boot ${name} local`);
  if (!(agent.capabilities ?? []).includes("tasks"))
    return precondition(`the agent in the system of ${name} is older than tasks: reimage ${name}`);
  if (agent.tasks === undefined) return precondition(`the system of ${name} has no tasks`);
  return undefined;
}
