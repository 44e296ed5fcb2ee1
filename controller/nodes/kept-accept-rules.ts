import { limits } from "../../proto/limits.ts";
import { invalid, isUnavailable } from "../refusal/refusal.ts";
import { type AcceptRule, type AcceptRules, chooseAcceptRule, chooseNamingRule } from "./choose-accept-rule.ts";
import type { Node } from "./node.ts";

/** What an operator changes of the rules. */
export interface AcceptRuleChanges {
  /** How many more boards are accepted from now on, instead of those that were left. */
  readonly next?: number;
  readonly expect: readonly string[];
  readonly noLongerExpect: readonly string[];
}

/** The rules by which boards are accepted, remembered over a restart. */
export interface KeptAcceptRules {
  now(): AcceptRules;
  /** Throws a Failure (invalid) when there would be too many, or one is malformed. */
  change(changes: AcceptRuleChanges): void;
  /** The rule for a node whose agent registers. Counts it, durably, where the rule is a count. */
  use(node: Node): AcceptRule | undefined;
  /** The rule that names a node that is known. */
  naming(node: Node): AcceptRule | undefined;
}

const key = "accept-rules";

export function createKeptAcceptRules(options: {
  readonly rows: { get(key: string): string | undefined; set(key: string, value: string): void };
  readonly configured: readonly string[];
  readonly log: { error(details: object, message: string): void };
}): KeptAcceptRules {
  const { rows, configured, log } = options;
  let told = parse(rows.get(key));
  const now = (): AcceptRules => ({ ...told, configured });

  function keep(next: Omit<AcceptRules, "configured">): void {
    rows.set(key, JSON.stringify(next));
    told = next;
  }

  return {
    now,
    change({ next, expect, noLongerExpect }) {
      const { patterns, patternCharacters, next: mostNext } = limits.acceptance;
      for (const pattern of expect) {
        if (pattern.trim() === "" || pattern.length > patternCharacters.most)
          throw invalid(`a board that is expected is named by 1 to ${patternCharacters.most} characters`);
      }
      if (next !== undefined && next > mostNext.most) throw invalid(`at most the next ${mostNext.most} boards`);
      const expected = [...new Set([...told.expected, ...expect])].filter((each) => !noLongerExpect.includes(each));
      if (expected.length > patterns.most) throw invalid(`at most ${patterns.most} boards or patterns are expected`);
      keep({ next: next ?? told.next, expected });
    },
    use(node) {
      const rule = chooseAcceptRule(now(), node);
      if (rule?.kind !== "next") return rule;
      try {
        keep({ ...told, next: rule.left });
        return rule;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        // Uncounted, it would be accepted anew after a restart: then the node waits.
        log.error({ err: error, node: node.name }, "could not count a node that a rule accepts: it stays pending");
        return undefined;
      }
    },
    naming: (node) => chooseNamingRule(now(), node),
  };
}

/** What cannot be made sense of accepts nobody. */
function parse(text: string | undefined): Omit<AcceptRules, "configured"> {
  const none = { expected: [], next: 0 };
  try {
    const { expected, next } = JSON.parse(text ?? "{}") as { expected?: unknown; next?: unknown };
    return {
      expected: Array.isArray(expected) ? expected.filter((each) => typeof each === "string") : [],
      next: Number.isSafeInteger(next) && Number(next) > 0 ? Number(next) : 0,
    };
  } catch {
    return none;
  }
}
