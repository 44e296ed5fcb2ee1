import type { NodeState } from "../../proto/words/node-state.ts";
import { invalid } from "../refusal/refusal.ts";
import { assertNodeChoice } from "./choose-nodes.ts";
import { type LabelRequirement, parseLabelSelector } from "./parse-label-selector.ts";

/** Which nodes are meant, as it is written. */
export interface SelectorText {
  /** Names, MAC addresses, serial numbers, and patterns of them. */
  readonly nodes: readonly string[];
  readonly all: boolean;
  /** See `parseLabelSelector`; empty for any. */
  readonly labelSelector: string;
  readonly states: readonly NodeState[];
}

/** Which nodes are meant: those in `nodes`, or every one if it is empty; of them those with these labels and states. */
export interface Selector {
  readonly nodes: readonly string[];
  readonly labels: readonly LabelRequirement[];
  readonly states: readonly NodeState[];
}

/** States of which no node has both. */
const contradictions: readonly (readonly [NodeState, NodeState])[] = [
  ["online", "offline"],
  ["online", "discovered"],
  ["accepted", "unaccepted"],
  ["proved", "unproved"],
];

/** A selector that names nothing: every node has to be asked for, so that nothing never means everything. */
export function choosesNothing({ nodes, all, labelSelector, states }: SelectorText): boolean {
  return !all && nodes.length === 0 && labelSelector.trim() === "" && states.length === 0;
}

/**
 * Reads a selector. Throws a Failure (invalid) when it chooses nothing, names nodes and all of them, asks for states that
 * exclude each other, or has a label selector that cannot be read.
 */
export function parseSelector(text: SelectorText): Selector {
  const { nodes, all, labelSelector, states } = text;
  // Labels and states choose from all.
  assertNodeChoice({ nodes, all: all || (nodes.length === 0 && !choosesNothing(text)) });
  if (nodes.includes("")) throw invalid("the name of a node is empty");
  const both = contradictions.find((pair) => pair.every((state) => states.includes(state)));
  if (both !== undefined) throw invalid(`no node is both ${both[0]} and ${both[1]}: ask for one of the two`);
  return { nodes, labels: parseLabelSelector(labelSelector), states: [...new Set(states)] };
}
