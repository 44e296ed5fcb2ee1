import { sightingOf } from "../machine/sighting.ts";
import type { Executor } from "./executor.ts";

/** Checks whether an agent of the node is online now. */
export const inspectNode: Executor<"inspect-node"> = (_effect, { state, world, report }) => {
  const node = world.nodes.get(state.nodeId);
  if (node === undefined || !world.nodes.isOnline(node)) return;
  const sighting = sightingOf(node);
  if (sighting !== undefined) report({ type: "agent-sighted", ...sighting });
};
