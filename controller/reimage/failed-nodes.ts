import type { NodeId } from "../../proto/names/node-id.ts";
import type { Reimage, Rollout } from "./plan/rollout.ts";

/** A node whose tasks have failed is not what it should be, though its card is. */
function hasFailed({ phase, configuration }: Reimage): boolean {
  return phase === "failed" || configuration?.state === "failed";
}

/**
 * The nodes whose last reimage, or its tasks, failed. One that was cancelled says nothing about the node, nor does one that has not
 * ended: what counts is the last that failed or gave a proof.
 *
 * @param rollouts newest first
 */
export function failedNodes(rollouts: readonly Rollout[]): {
  /** @param since what happened before is about a node of that MAC address that was forgotten; milliseconds */
  has(id: NodeId, since: number): boolean;
} {
  const last = new Map<NodeId, Reimage>();
  for (const reimage of rollouts.flatMap(({ reimages }) => reimages)) {
    const tells = reimage.phase === "failed" || reimage.phase === "proved";
    if (tells && !last.has(reimage.nodeId)) last.set(reimage.nodeId, reimage);
  }
  return {
    has(id, since) {
      const reimage = last.get(id);
      return reimage !== undefined && hasFailed(reimage) && reimage.startedAt >= since;
    },
  };
}
