import { type NodeId, parseMacAddress } from "../../proto/names/node-id.ts";
import { compileGlob, isGlob } from "./glob.ts";
import { areDifferentBoards, serialOf } from "./judge-board.ts";
import type { Node } from "./node.ts";

/** Which boards are accepted as soon as their agent registers, without anybody who looks at each. */
export interface AcceptRules {
  /** MAC addresses, serial numbers, and patterns of them, of the configuration. */
  readonly configured: readonly string[];
  /** The same, of a command. */
  readonly expected: readonly string[];
  /** How many more boards are, whatever they are. */
  readonly next: number;
}

/** A rule that holds for a board. */
export type AcceptRule =
  | { readonly kind: "configured" | "expected"; readonly pattern: string }
  | { readonly kind: "next"; readonly left: number };

/**
 * The rule by which a node is accepted when its agent registers; undefined when none holds, or none is needed. A count is
 * used last. A board that took the place of another is never accepted by a rule: which of the two is meant, only an
 * operator knows.
 */
export function chooseAcceptRule(rules: AcceptRules, node: Node): AcceptRule | undefined {
  const named = chooseNamingRule(rules, node);
  if (named !== undefined || rules.next === 0 || !isOpen(node)) return named;
  return { kind: "next", left: rules.next - 1 };
}

/** The rule that names a node whose agent has registered, if it is pending. */
export function chooseNamingRule({ configured, expected }: AcceptRules, node: Node): AcceptRule | undefined {
  if (!isOpen(node)) return undefined;
  const serial = serialOf(node);
  const names = (pattern: string): boolean => isNamedBy(pattern, node.id, serial);
  const ours = configured.find(names);
  if (ours !== undefined) return { kind: "configured", pattern: ours };
  const told = expected.find(names);
  return told === undefined ? undefined : { kind: "expected", pattern: told };
}

/** The rule in words, completing "was accepted by". */
export function describeAcceptRule(rule: AcceptRule): string {
  if (rule.kind === "next") return `the rule that the next boards are: ${rule.left} more`;
  const whose = rule.kind === "configured" ? "the configuration" : '"node accept --expect"';
  return `the rule ${JSON.stringify(rule.pattern)} of ${whose}`;
}

function isOpen({ accepted, facts, board }: Node): boolean {
  return !accepted && facts !== undefined && board?.replaced === undefined;
}

function isNamedBy(pattern: string, id: NodeId, serial: string): boolean {
  if (isGlob(pattern)) {
    const matches = compileGlob(pattern);
    return matches(id) || (serial !== "" && matches(serial));
  }
  if (parseMacAddress(pattern) === id) return true;
  return serial !== "" && pattern !== "" && !areDifferentBoards(pattern, serial);
}
