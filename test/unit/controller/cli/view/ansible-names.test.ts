// Names of Ansible's groups and hosts: valid for it, told apart, and none that means something else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nameGroups, nameHosts } from "../../../../../controller/cli/view/ansible-names.ts";

const digits = (text: string, count: number) => createHash("sha256").update(text).digest("hex").slice(0, count);

const groups: readonly (readonly [meanings: readonly string[], names: readonly string[]])[] = [
  [["label rack=a"], ["label_rack_a"]],
  [["label spare"], ["label_spare"]],
  [["label example.com/rack=A-1"], ["label_example_com_rack_A_1"]],
  [["model Raspberry Pi 4 Model B Rev 1.4"], ["model_Raspberry_Pi_4_Model_B_Rev_1_4"]],
  [["model Gerät {{ x }}\n"], ["model_Ger_t____x____"]],
  [["model 🍓"], ["model___"]],
  [
    ["image debian-12", "state online", "role resident"],
    ["image_debian_12", "state_online", "role_resident"],
  ],
  // Case tells groups apart for Ansible, too.
  [
    ["label rack=a", "label rack=A"],
    ["label_rack_a", "label_rack_A"],
  ],
  // None has the name that both would have.
  [
    ["label rack=a-1", "label rack=a_1", "label rack=b"],
    [`label_rack_a_1_${digits("label rack=a-1", 8)}`, `label_rack_a_1_${digits("label rack=a_1", 8)}`, "label_rack_b"],
  ],
  [
    ["label a=b", "label a_b"],
    [`label_a_b_${digits("label a=b", 8)}`, `label_a_b_${digits("label a_b", 8)}`],
  ],
  // A third one that has the ending of the first by itself.
  [
    ["label a=b", "label a_b", `label a-b=${digits("label a=b", 8)}`],
    [
      `label_a_b_${digits("label a=b", 64)}`,
      `label_a_b_${digits("label a_b", 8)}`,
      `label_a_b_${digits("label a=b", 8)}_${digits(`label a-b=${digits("label a=b", 8)}`, 8)}`,
    ],
  ],
];

describe("names of groups", () => {
  for (const [meanings, names] of groups)
    it(`${meanings.join(", ")}: ${names.join(", ")}`, () => {
      assert.deepEqual([...nameGroups(meanings)], zip(meanings, names));
      // Not by the order in which nodes come.
      const reversed = nameGroups(meanings.toReversed());
      assert.deepEqual(
        meanings.map((meaning) => reversed.get(meaning)),
        names,
      );
    });

  it("are as many as there are meanings, and valid, whatever these are", () => {
    // Few letters, so that many names are the same.
    const text = fc.oneof(fc.string({ unit: fc.constantFrom("a", "_", "-", "=", ".", "{", "é") }), fc.string());
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 60 }), (texts) => {
        const meanings = texts.map((each) => `label ${each}`);
        const names = [...nameGroups(meanings).values()];
        assert.equal(new Set(names).size, meanings.length);
        for (const name of names) assert.match(name, /^label_[A-Za-z0-9_]*$/);
      }),
    );
  });
});

const hosts: readonly (readonly [names: readonly string[], hosts: readonly string[]])[] = [
  [
    ["rack-1", "rack-2"],
    ["rack-1", "rack-2"],
  ],
  [
    ["all", "ungrouped", "localhost"],
    ["node-000001", "node-000002", "node-000003"],
  ],
  // That name is another node's already.
  [
    ["all", "node-000001"],
    ["node-27000001", "node-000001"],
  ],
];

describe("names of hosts", () => {
  for (const [names, expected] of hosts)
    it(`${names.join(", ")}: ${expected.join(", ")}`, () => {
      const nodes = names.map((name, index) => ({ nodeId: `b8:27:27:00:00:0${index + 1}`, name }));
      const ids = nodes.map(({ nodeId }) => nodeId);
      assert.deepEqual([...nameHosts(nodes)], zip(ids, expected));
    });
});

function zip<A, B>(one: readonly A[], other: readonly B[]): [A, B][] {
  assert.equal(one.length, other.length);
  return one.map((each, index) => [each, other[index] as B]);
}
