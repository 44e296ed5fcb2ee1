import { Failure } from "../../../proto/failure.ts";
import { isSilence } from "../../agents/agent-error.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { type Executor, nodeOf } from "./executor.ts";

/** Asks the node to reboot, if it still is in the expected boot. */
export const rebootNode: Executor<"reboot-node"> = async ({ expectedBootId }, context) => {
  const { world, answer, signal } = context;
  const expected = { bootId: expectedBootId };
  try {
    await withAgentOf(nodeOf(context), world.agents, (agent) => agent.reboot(expectedBootId, signal), {
      expected,
      signal,
    });
    answer({ type: "reboot-accepted" });
  } catch (error) {
    answer({ type: isSilence(error) ? "reboot-unreachable" : "reboot-refused", failure: Failure.from(error) });
  }
};
