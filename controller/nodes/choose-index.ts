import { sortedByName } from "../../proto/names/natural-order.ts";
import type { Node } from "./node.ts";

/** The node with its index: an accepted one that has none gets the lowest that no other has. */
export function withIndex(node: Node, others: Iterable<Pick<Node, "id" | "index">>): Node {
  if (!node.accepted || node.index !== undefined) return node;
  const taken = new Set<number>();
  for (const { id, index } of others) if (id !== node.id && index !== undefined) taken.add(index);
  let index = 1;
  while (taken.has(index)) index += 1;
  return { ...node, index };
}

/** The nodes that an older Pallet accepted without an index, with theirs: in the order of their names. */
export function selectNewlyIndexed(nodes: readonly Node[]): readonly Node[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  return sortedByName(nodes.filter(({ accepted, index }) => accepted && index === undefined)).map((node) => {
    const indexed = withIndex(node, known.values());
    known.set(node.id, indexed);
    return indexed;
  });
}
