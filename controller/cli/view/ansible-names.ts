import { createHash } from "node:crypto";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { defaultNodeName } from "../../nodes/node-name.ts";

/** How many digits of a digest tell groups apart whose names would be the same; all of them where few do not. */
const digestDigits = [0, 8, 64];

/**
 * Names of Ansible groups for what they stand for: "label rack=a" becomes label_rack_a. Ansible takes letters, digits
 * and "_", no digit first (INVALID_VARIABLE_NAMES of ansible/constants.py, for ASCII alone); every other character
 * becomes "_", as Ansible itself would do it.
 *
 * Where several of them would share a name ("label rack=a-1" and "label rack=a_1"), each gets 8 hexadecimal digits of its
 * SHA-256 as an ending, and none has the name without it: a playbook written for one of them must not reach the nodes
 * of another. The names depend on what is given alone, not on its order.
 *
 * @param meanings each begins with a word, which begins with a letter
 * @returns the names by meaning
 */
export function nameGroups(meanings: Iterable<string>): ReadonlyMap<string, string> {
  const steps = new Map([...meanings].map((meaning) => [meaning, 0]));
  for (;;) {
    const byName = Map.groupBy(steps.keys(), (meaning) =>
      groupName(meaning, digestDigits[steps.get(meaning) ?? 0] ?? 0),
    );
    const clashing = [...byName.values()].filter(({ length }) => length > 1).flat();
    if (clashing.length === 0)
      return new Map([...byName].flatMap(([name, named]) => named.map((meaning) => [meaning, name] as const)));
    // It ends: with all digits, two of them differ.
    for (const meaning of clashing)
      steps.set(meaning, Math.min((steps.get(meaning) ?? 0) + 1, digestDigits.length - 1));
  }
}

function groupName(meaning: string, digits: number): string {
  const name = meaning.replace(/[^A-Za-z0-9_]/g, "_");
  return digits === 0 ? name : `${name}_${createHash("sha256").update(meaning).digest("hex").slice(0, digits)}`;
}

/**
 * What a host's name must not be: groups that Ansible makes itself (it warns of a host and a group of one name, and
 * means the group), and what it takes for the machine that it runs on.
 */
const takenByAnsible: ReadonlySet<string> = new Set(["all", "ungrouped", "localhost"]);

/**
 * Names of Ansible hosts for nodes: their own, or the one that they would have if nobody had named them where Ansible
 * means something else by their own. No group has the name of a host: a group's has a "_", a node's has none.
 *
 * @returns the names by node id
 */
export function nameHosts(
  nodes: readonly { readonly nodeId: string; readonly name: string }[],
): ReadonlyMap<string, string> {
  const names = new Set(nodes.map(({ name }) => name));
  return new Map(
    nodes.map(({ nodeId, name }) => {
      const isFree = !takenByAnsible.has(name);
      const host = isFree ? name : defaultNodeName(nodeId as NodeId, (other) => names.has(other));
      names.add(host);
      return [nodeId, host];
    }),
  );
}
