import { type NodeChoice, problemOfChoice } from "../../nodes/choose-nodes.ts";
import { UsageError } from "../connection/command-context.ts";

/** Throws a UsageError unless either nodes are named or --all is given. @param verb what is done to them: "accept" */
export function requireNodeChoice(verb: string, choice: NodeChoice): void {
  if (problemOfChoice(choice) === undefined) return;
  throw new UsageError(`name the nodes to ${verb}, or give --all (not both)`);
}
