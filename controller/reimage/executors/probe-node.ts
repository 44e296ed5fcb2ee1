import type { Executor } from "./executor.ts";

/** Probes the node once at the address where it was last seen. */
export const probeNode: Executor<"probe-node"> = async (_effect, { state, world, signal, answer }) => {
  const address = world.nodes.get(state.nodeId)?.address;
  if (address === undefined) return;
  const how = await world.probeNode({ address, mac: state.nodeId }, signal);
  if (how !== undefined) answer({ type: "node-answered", how });
};
