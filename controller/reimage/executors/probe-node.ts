import type { Executor } from "./executor.ts";

/**
 * Probes the node once where it was seen booting, and where its agent last was. Not while that agent still reports: then
 * what answers there is the boot that is to end, and somebody else has fetched the kernel.
 */
export const probeNode: Executor<"probe-node"> = async (_effect, { state, world, signal, answer }) => {
  const { phase } = state;
  const node = world.nodes.get(state.nodeId);
  if (node === undefined || phase.name !== "proving") return;
  const { kernelFetchedAt = 0, previousBootId } = phase;
  if (node.facts?.bootId === previousBootId && (node.agentSeenAt ?? 0) > kernelFetchedAt) return;
  for (const address of new Set([node.bootAddress, node.address])) {
    if (address === undefined) continue;
    const how = await world.probeNode({ address, mac: state.nodeId }, signal);
    if (how !== undefined) return answer({ type: "node-answered", how });
  }
};
