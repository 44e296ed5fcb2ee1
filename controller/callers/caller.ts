import type { NodeId } from "../../proto/names/node-id.ts";
import type { OperatorRole } from "../../proto/words/operator-role.ts";

/** Who asks the controller for something, or did something: what is known of him for certain, never what he says. */
export type Caller =
  /** The controller itself: what it does by its own clock, and every step of a rollout. */
  | { readonly kind: "controller" }
  /** A user of this machine, through the unix socket; his name as /etc/passwd has it. */
  | { readonly kind: "socket-user"; readonly uid: number; readonly name: string }
  /** Somebody with an operator's certificate. */
  | { readonly kind: "operator"; readonly name: string; readonly role: OperatorRole }
  /** The agent of a node, by its certificate. */
  | { readonly kind: "agent"; readonly nodeId: NodeId }
  /** Nobody has proved who he is: whoever reaches a port that asks nobody. */
  | { readonly kind: "anonymous" };

/** A caller, and the IP address from which he called; no address over the unix socket. */
export interface Author {
  readonly by: Caller;
  readonly from?: string;
}
