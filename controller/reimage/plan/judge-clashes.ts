import { Failure } from "../../../proto/failure.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import type { Node } from "../../nodes/node.ts";
import { findClashes } from "../../profiles/find-clashes.ts";
import type { NodeSystem } from "../../profiles/node-system.ts";

const mostNames = 5;

/** Why nodes may not be reimaged together: their profiles would make them the same where each needs its own. */
export function judgeClashes(
  targets: readonly { readonly node: Pick<Node, "id" | "name">; readonly system?: NodeSystem | Failure | undefined }[],
): ReadonlyMap<NodeId, Failure> {
  const systems = targets.flatMap(({ node, system }) =>
    system === undefined || system instanceof Failure ? [] : [{ node: node.id, config: system.config }],
  );
  const names = new Map<string, string>(targets.map(({ node }) => [node.id, node.name]));
  const told = new Map<NodeId, Failure>();
  for (const { nodes, problem } of findClashes(systems)) {
    const shown = nodes.slice(0, mostNames).map((id) => names.get(id) ?? id);
    const more = nodes.length > mostNames ? ` and ${nodes.length - mostNames} more` : "";
    const failure = new Failure("invalid", `by the profiles, ${problem} (${shown.join(", ")}${more})`);
    for (const { node } of targets) if (nodes.includes(node.id) && !told.has(node.id)) told.set(node.id, failure);
  }
  return told;
}
