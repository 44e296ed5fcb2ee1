import type { NodeId } from "../../../proto/names/node-id.ts";
import type { Node } from "../../nodes/node.ts";
import { precondition, type Refusal } from "../../refusal/refusal.ts";

/** Why a node may not be touched that a rollout is at work on: nobody else may move it in the meantime. */
export function beingReimaged({ name }: Pick<Node, "name">, rolloutId: string): Refusal {
  return precondition(`${name} is being reimaged by rollout ${rolloutId}; ${waitOrCancel(rolloutId)}`);
}

/** Throws the Refusal of `beingReimaged` while a rollout is at work on the node. */
export function assertNoReimage(node: Node, activeRolloutOf: (id: NodeId) => string | undefined): void {
  const rolloutId = activeRolloutOf(node.id);
  if (rolloutId !== undefined) throw beingReimaged(node, rolloutId);
}

/** The remedy for a rollout that is in the way. */
export function waitOrCancel(rolloutId: string): string {
  return `wait until it ends (controller watch ${rolloutId}), or cancel it (controller cancel ${rolloutId})`;
}
