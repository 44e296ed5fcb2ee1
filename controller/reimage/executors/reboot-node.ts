import { Failure } from "../../../proto/failure.ts";
import { askAgent, isSilence } from "./ask-agent.ts";
import type { Executor } from "./executor.ts";

/** Asks the node to reboot, if it still is in the expected boot. */
export const rebootNode: Executor<"reboot-node"> = async ({ expectedBootId }, context) => {
  const { answer, signal } = context;
  try {
    await askAgent(context, (agent) => agent.reboot(expectedBootId, signal));
    answer({ type: "reboot-accepted" });
  } catch (error) {
    answer({ type: isSilence(error) ? "reboot-unreachable" : "reboot-refused", failure: Failure.from(error) });
  }
};
