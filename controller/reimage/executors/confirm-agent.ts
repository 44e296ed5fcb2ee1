import { isSilence } from "../../agents/agent-error.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { type Executor, nodeOf } from "./executor.ts";

/** Asks an agent whether it is there. Silence, and another's answer, are what was expected: they tell nothing. */
export const confirmAgent: Executor<"confirm-agent"> = async ({ sighting }, context) => {
  const { state, world, signal, answer } = context;
  const { bootId, instanceId, role } = sighting;
  const confirm = async (): Promise<void> => answer({ type: "agent-confirmed", sighting });
  try {
    await withAgentOf(nodeOf(context), world.agents, confirm, { expected: { bootId, instanceId, role }, signal });
  } catch (error) {
    // Whatever else is wrong with it, an agent that can carry the reimage on reports again.
    if (!isSilence(error) && !signal.aborted)
      world.log.warn({ err: error, node: state.nodeName }, "could not ask an agent whether it is still there");
  }
};
