import { z } from "zod";
import type { DroppingChain } from "./facts.ts";

const ruleset = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({
          family: z.string(),
          table: z.string(),
          name: z.string(),
          hook: z.string().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z.looseObject({ family: z.string(), table: z.string() }).optional(),
    }),
  ),
});

/**
 * Reads what `nft --json list ruleset` prints: the chains that drop what no rule of theirs accepts. Every chain of a hook
 * has its say in nftables: what ours accepts, another may still drop. A table with a rule about the rack's interface
 * was told about it.
 *
 * @param own the table that is ours
 * @param device the rack's interface
 */
export function parseRuleset(text: string, own: string, device: string): readonly DroppingChain[] {
  const { nftables } = ruleset.parse(JSON.parse(text));
  const quoted = JSON.stringify(device);
  const knows = new Set(
    nftables.flatMap(({ rule }) =>
      rule !== undefined && JSON.stringify(rule).includes(quoted) ? [`${rule.family} ${rule.table}`] : [],
    ),
  );
  return nftables.flatMap(({ chain }) => {
    if (chain === undefined || chain.table === own) return [];
    const { hook, family, table, name, policy } = chain;
    // firewalld's chains accept by policy and reject by their last rule.
    if (policy !== "drop" && table !== "firewalld") return [];
    if (knows.has(`${family} ${table}`)) return [];
    return hook === "input" || hook === "forward" ? [{ table: `${family} ${table}`, chain: name, hook }] : [];
  });
}
