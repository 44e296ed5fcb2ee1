import type { GivenBack } from "../../nodes/give-back.ts";
import { serialOf } from "../../nodes/judge-board.ts";
import type { Node } from "../../nodes/node.ts";

/** What a node was when its reimage began: what an end that touched nothing gives back. Plain data: it is journaled. */
export interface BeforeReimage extends GivenBack {
  /** The boot of the netbooted agent that it was in; absent when it was in none. */
  readonly agentBootId?: string;
}

/** What a node is now, whose reimage begins. */
export function beforeReimage(node: Node, isOnline: boolean): BeforeReimage {
  const { bootTarget, proved, installation, facts, agent } = node;
  const serial = serialOf(node);
  return {
    bootTarget,
    ...(serial !== "" && { serial }),
    ...(proved && { proved }),
    ...(installation && { installation }),
    ...(isOnline && facts && agent?.role === "netboot" && { agentBootId: facts.bootId }),
  };
}
