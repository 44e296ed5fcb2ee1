import { Failure } from "../../../proto/failure.ts";
import { AgentError, type AgentPort } from "../ports.ts";
import type { Answer } from "../reimage-event.ts";
import type { ReimageState } from "../reimage-state.ts";
import type { ExecutorContext } from "./executor.ts";

/**
 * Has `ask` talk to the agent of the reimage's node, where that agent was last seen, and closes the connection after.
 * Rejects with AgentError.
 */
export async function askAgent<Answer>(
  { state, world }: ExecutorContext,
  ask: (agent: AgentPort) => Promise<Answer>,
): Promise<Answer> {
  const node = world.nodes.get(state.nodeId);
  if (node?.address === undefined || node.agent === undefined) {
    const failure = new Failure("node-silent", `no address of the agent of ${state.nodeName} is known`);
    throw new AgentError("unreachable", failure, undefined);
  }
  const agent = world.agents.connect({ address: node.address, port: node.agent.port });
  try {
    return await ask(agent);
  } finally {
    agent.close();
  }
}

/** Whether nothing is known about what the agent did or will do, so that asking again is right. */
export function isSilence(error: unknown): error is AgentError {
  return error instanceof AgentError && (error.kind === "unreachable" || error.kind === "timed-out");
}

/**
 * What answers is in another boot than the one that registered: the node has rebooted and will register, or another
 * machine has its address by now, whose disks are none of ours.
 */
export function answeredByAnother({ nodeName }: ReimageState): Answer {
  const message = `what answers at the address of ${nodeName} is not the agent that registered`;
  return { type: "agent-unreachable", failure: new Failure("node-silent", message) };
}
