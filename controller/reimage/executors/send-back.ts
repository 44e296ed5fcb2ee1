import { Failure } from "../../../proto/failure.ts";
import { isSilence } from "../../agents/agent-error.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { type Executor, nodeOf } from "./executor.ts";

/**
 * Asks exactly this boot of the netbooted agent to end, so that the node boots its own system again; not if its boot
 * target has become the agent in the meantime: then somebody wants it there.
 */
export const sendBack: Executor<"send-back"> = async ({ expectedBootId }, context) => {
  const { state, world, answer, signal } = context;
  if (world.nodes.get(state.nodeId)?.bootTarget.kind !== "local") return;
  try {
    await withAgentOf(nodeOf(context), world.agents, (agent) => agent.reboot(expectedBootId, signal), {
      expected: { bootId: expectedBootId, role: "netboot" },
      signal,
    });
    answer({ type: "reboot-accepted" });
  } catch (error) {
    answer({ type: isSilence(error) ? "reboot-unreachable" : "reboot-refused", failure: Failure.from(error) });
  }
};
