import { precondition, type Refusal } from "../refusal/refusal.ts";
import { describeReplacement } from "./judge-board.ts";
import type { Node } from "./node.ts";

type Judged = Pick<Node, "id" | "name" | "accepted" | "board">;

/**
 * Why nothing may be done to these nodes that writes to them or moves them; undefined when it may. Anybody on the network
 * can be a node: until an operator has said that it is ours, it can be looked at, and no more, not even by name.
 */
export function refusalOfPending(nodes: readonly Judged[]): Refusal | undefined {
  const pending = nodes.filter(({ accepted }) => !accepted);
  if (pending.length === 0) return undefined;
  const names = pending.map(({ name }) => name);
  const [are, them] = pending.length === 1 ? ["is", "it"] : ["are", "them"];
  const others = pending.flatMap((node) => describeReplacement(node) ?? []).map((text) => `; ${text}`);
  return precondition(
    `${names.join(", ")} ${are} pending: nobody has accepted ${them} yet, and nothing writes to a node or reboots it before ` +
      `that; if ${are === "is" ? "it is" : "they are"} yours: controller node accept ${names.join(" ")}${others.join("")}`,
  );
}

/** Throws the Refusal of `refusalOfPending`. */
export function assertAccepted(...nodes: readonly Judged[]): void {
  const refusal = refusalOfPending(nodes);
  if (refusal !== undefined) throw refusal;
}
