import type { NodeId } from "../../proto/names/node-id.ts";
import { invalid } from "../refusal/refusal.ts";
import type { Node } from "./node.ts";

/** The nodes that a request means: those that it names, or all of some kind. */
export interface NodeChoice {
  /** Names, MAC addresses or serial numbers. */
  readonly nodes: readonly string[];
  readonly all: boolean;
}

/** What makes a choice meaningless; undefined if it is fine. */
export function problemOfChoice({ nodes, all }: NodeChoice): "both" | "neither" | undefined {
  if (all === nodes.length > 0) return all ? "both" : "neither";
  return undefined;
}

/** Throws a Failure when the request both names nodes and chooses all, or neither. */
export function assertNodeChoice(choice: NodeChoice): void {
  const problem = problemOfChoice(choice);
  if (problem === "both") throw invalid("name nodes or choose all, not both");
  if (problem === "neither") throw invalid("no node is named; name nodes, or choose all");
}

/**
 * The nodes that a request means, each once. Throws a Failure as `assertNodeChoice`, and what `nodes.require` throws
 * when one is unknown: before anything is done to the others.
 */
export function chooseNodes(
  choice: NodeChoice,
  nodes: { list(): readonly Node[]; require(nameOrMacOrSerial: string): Node },
  /** Which nodes "all" means. */
  isOfAll: (node: Node) => boolean = () => true,
): Node[] {
  assertNodeChoice(choice);
  const meant = choice.all ? nodes.list().filter(isOfAll) : choice.nodes.map((text) => nodes.require(text));
  return [...new Map<NodeId, Node>(meant.map((node) => [node.id, node])).values()];
}
