import { cutText } from "../../proto/cut-text.ts";
import { sortedByName } from "../../proto/names/natural-order.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { NodeState } from "../../proto/words/node-state.ts";
import { notFound } from "../refusal/refusal.ts";
import { nearNames } from "./find-node.ts";
import { compileGlob, isGlob, literalPrefix } from "./glob.ts";
import type { Node } from "./node.ts";
import { matchesLabels } from "./parse-label-selector.ts";
import type { Selector } from "./parse-selector.ts";

/** What other rooms know about a node. */
export interface NodeStanding {
  readonly online: boolean;
  /** Whether a rollout is at work on it. */
  readonly reimaging: boolean;
  /** Whether its last reimage failed. */
  readonly failed: boolean;
}

/** The nodes to select from. */
export interface SelectableNodes {
  list(): readonly Node[];
  require(nameOrMacOrSerial: string): Node;
}

/**
 * The nodes that a selector means, each once, by name: the only place where selectors are understood. Whoever is named in
 * full is meant whether accepted or not, and then refused by name where that matters; patterns, labels, states and "all" mean accepted nodes alone if `acceptedOnly`.
 *
 * Throws a Refusal (not-found) for a name or a pattern that means no node, with those that may have been meant, before
 * anything is done to the others. That no node has the labels and states is no error: the answer is empty.
 */
export function selectNodes(
  selector: Selector,
  nodes: SelectableNodes,
  options: { readonly standingOf: (node: Node) => NodeStanding; readonly acceptedOnly: boolean },
): Node[] {
  const { standingOf, acceptedOnly } = options;
  const all = nodes.list();
  const inScope = ({ accepted }: Node): boolean => accepted || !acceptedOnly;
  const named = selector.nodes.flatMap((text) => (isGlob(text) ? matching(text, all, inScope) : [nodes.require(text)]));
  const base = selector.nodes.length === 0 ? all.filter(inScope) : named;
  const meant = base.filter(
    (node) =>
      matchesLabels(node.labels ?? {}, selector.labels) &&
      selector.states.every((state) => isIn(state, node, standingOf)),
  );
  return sortedByName([...new Map<NodeId, Node>(meant.map((node) => [node.id, node])).values()]);
}

function isIn(state: NodeState, node: Node, standingOf: (node: Node) => NodeStanding): boolean {
  switch (state) {
    case "online":
      return standingOf(node).online;
    case "offline":
      return !standingOf(node).online;
    case "discovered":
      return node.agent === undefined && !standingOf(node).online;
    case "accepted":
      return node.accepted;
    case "unaccepted":
      return !node.accepted;
    case "proved":
      return node.proved !== undefined;
    case "unproved":
      return node.proved === undefined;
    case "failed":
      return standingOf(node).failed;
    case "reimaging":
      return standingOf(node).reimaging;
  }
}

function matching(pattern: string, all: readonly Node[], inScope: (node: Node) => boolean): readonly Node[] {
  const matches = compileGlob(pattern);
  const found = all.filter(({ id, name, facts }) => [name, id, facts?.serial ?? ""].some((text) => matches(text)));
  const meant = found.filter(inScope);
  if (meant.length > 0) return meant;
  if (found.length > 0)
    throw notFound(
      `"${cutText(pattern, 80)}" matches only nodes that are not accepted (${found
        .slice(0, 3)
        .map(({ name }) => name)
        .join(", ")}${found.length > 3 ? ", …" : ""}): accept them first`,
    );
  const prefix = literalPrefix(pattern);
  const near = prefix === "" ? [] : nearNames(prefix, shortened(all, prefix.length));
  const nearest = near
    .flatMap((beginning) => sortedByName(all.filter(({ name }) => name.slice(0, prefix.length) === beginning)))
    .slice(0, 3);
  const meantInstead =
    nearest.length === 0
      ? ""
      : `; there ${nearest.length === 1 ? "is" : "are"} ${nearest.map(({ name }) => name).join(", ")}`;
  throw notFound(`no node matches "${cutText(pattern, 80)}"${meantInstead}; "controller nodes" lists those that exist`);
}

/** The nodes under as much of their names as a pattern says literally. */
function shortened(all: readonly Node[], length: number): readonly Node[] {
  return all.map((node) => ({ ...node, name: node.name.slice(0, length) }));
}
