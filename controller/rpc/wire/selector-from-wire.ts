import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { nodeStates } from "../../../proto/words/node-state.ts";
import { type LabelChanges, problemOfLabelChanges } from "../../nodes/label.ts";
import { parseSelector, type Selector } from "../../nodes/parse-selector.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainText, required } from "./text-from-wire.ts";

/**
 * Which nodes a request means. Throws a Failure as `parseSelector`, and for a state that this controller does not know:
 * left out, it would mean more nodes.
 */
export function selectorFromWire(selector: wire.NodeSelector | undefined): Selector {
  const { nodes, all, labelSelector, states } = required("selector", selector);
  const known = states.map((value) => {
    const state = nodeStates.fromWire(value);
    if (state === undefined) throw invalid(`states has ${value}, which is no NodeState that this controller knows`);
    return state;
  });
  return parseSelector({ nodes, all, labelSelector, states: known });
}

/** Changes of labels, checked. Throws a Failure that says what is wrong. */
export function labelChangesFromWire({ set, remove }: Pick<wire.LabelNodesRequest, "set" | "remove">): LabelChanges {
  const keys = new Set<string>();
  for (const { key } of set) {
    if (keys.has(key)) throw invalid(`label ${JSON.stringify(plainText(key, 80))} is set twice: give one value`);
    keys.add(key);
  }
  const changes = { set: Object.fromEntries(set.map(({ key, value }) => [key, value])), remove: [...remove] };
  const problem = problemOfLabelChanges(changes);
  if (problem !== undefined) throw invalid(problem);
  return changes;
}
