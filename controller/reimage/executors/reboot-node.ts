import { Failure } from "../../../proto/failure.ts";
import { isSilence } from "../../agents/agent-error.ts";
import type { AgentPort } from "../../agents/agent-port.ts";
import { withAgentOf } from "../../agents/reach-agent.ts";
import { rootPartitionOf } from "../../images/catalogue/image.ts";
import { selectRootIds } from "../../nodes/select-root-ids.ts";
import { type Executor, type ExecutorContext, nodeOf } from "./executor.ts";
import { imageOf } from "./image-of.ts";

/**
 * Asks the node to reboot, if it still is in the expected boot. Before it leaves the agent for the system on its card,
 * that agent says by which ids the root is found there: the write may have changed them, or, when the node has come
 * back, the system's own first boot.
 */
export const rebootNode: Executor<"reboot-node"> = async ({ expectedBootId }, context) => {
  const { world, answer, signal } = context;
  const expected = { bootId: expectedBootId };
  try {
    await withAgentOf(
      nodeOf(context),
      world.agents,
      async (agent, { agent: { role } }) => {
        if (role === "netboot") await noteRoot(agent, context);
        await agent.reboot(expectedBootId, signal);
      },
      { expected, signal },
    );
    answer({ type: "reboot-accepted" });
  } catch (error) {
    answer({ type: isSilence(error) ? "reboot-unreachable" : "reboot-refused", failure: Failure.from(error) });
  }
};

/** Without an answer the next boot goes by the ids that are known: that is no reason not to try. */
async function noteRoot(agent: AgentPort, context: ExecutorContext): Promise<void> {
  const { state, world, signal } = context;
  if (state.phase.name !== "rebooting") return;
  try {
    const root = rootPartitionOf(await imageOf(context));
    const { disk } = state.phase;
    const ids = selectRootIds(await agent.listBlockDevices(signal), root, { disk });
    if (ids === undefined) {
      world.log.warn(
        { node: state.nodeName, disk },
        "the image's root partition is not among the node's block devices",
      );
    } else {
      world.nodes.setRoot(state.nodeId, state.id, ids);
    }
  } catch (error) {
    signal.throwIfAborted();
    world.log.warn({ err: error, node: state.nodeName }, "could not read by which ids the root on the card is found");
  }
}
