// From nodes to Ansible's inventory: a table, and what holds whatever the nodes are.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type InventoryNode, viewInventory } from "../../../../../controller/cli/view/inventory-view.ts";
import { type NodeView, viewNode } from "../../../../../controller/cli/view/node-view.ts";
import { problemOfLabelKey, problemOfLabelValue } from "../../../../../controller/nodes/label.ts";
import { problemOfNodeName } from "../../../../../controller/nodes/node-name.ts";
import type { NodeState } from "../../../../../proto/words/node-state.ts";
import { freshNode, installedNode, knownNode } from "../a-catalogue.ts";

const known = viewNode(knownNode);
const installed = viewNode(installedNode);

function aNode(node: Partial<NodeView> = {}, states: readonly NodeState[] = ["accepted"]): InventoryNode {
  return { node: { ...known, ...node }, states };
}

const variablesOf = (node: Partial<NodeView>) =>
  viewInventory([aNode({ name: "x", ...node })]).inventory._meta.hostvars["x"] ?? {};

describe("the inventory", () => {
  it("of no nodes has no groups", () =>
    assert.deepEqual(viewInventory([]), { inventory: { _meta: { hostvars: {} } }, notes: [] }));

  it("groups by label, model, proved image, role and state, by name, digits by their value", () => {
    const { inventory, notes } = viewInventory([
      aNode({ name: "pi-10", labels: { rack: "a", spare: "" } }, ["accepted", "online", "proved"]),
      { node: { ...installed, name: "pi-2", labels: { rack: "a" } }, states: ["accepted", "offline"] },
      {
        node: { ...viewNode(freshNode), nodeId: "02:00:00:00:00:09", name: "pi-1", facts: null, address: null },
        states: ["accepted"],
      },
    ]);
    assert.deepEqual(notes, []);
    const { _meta, ...groups } = inventory;
    assert.deepEqual(
      Object.entries(groups).map(([name, group]) => [name, ...("hosts" in group ? (group["hosts"] as string[]) : [])]),
      [
        ["image_debian_12", "pi-2", "pi-10"],
        ["label_rack_a", "pi-2", "pi-10"],
        ["label_spare", "pi-10"],
        ["model_Raspberry_Pi_4_Model_B_Rev_1_4", "pi-2", "pi-10"],
        ["role_netboot", "pi-10"],
        ["role_resident", "pi-2"],
        ["state_accepted", "pi-1", "pi-2", "pi-10"],
        ["state_offline", "pi-2"],
        ["state_online", "pi-10"],
        ["state_proved", "pi-10"],
      ],
    );
    assert.deepEqual(Object.keys(_meta.hostvars), ["pi-1", "pi-2", "pi-10"]);
    // Null for what is not known, and no address for Ansible to connect to.
    assert.deepEqual(_meta.hostvars["pi-1"], {
      pallet_node_id: "02:00:00:00:00:09",
      pallet_name: "pi-1",
      pallet_accepted: false,
      pallet_states: ["accepted"],
      pallet_labels: {},
      pallet_model: null,
      pallet_serial: null,
      pallet_architecture: null,
      pallet_kernel: null,
      pallet_memory_bytes: null,
      pallet_image: null,
      pallet_image_digest: null,
      pallet_proved_weakly: false,
      pallet_boot_target: "agent",
      pallet_index: null,
      pallet_profiles: [],
      pallet_role: null,
      pallet_rollout: null,
    });
  });

  for (const [address, host] of [
    ["10.77.0.21", "10.77.0.21"],
    ["fd00::21", "fd00::21"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    [null, undefined],
    // An option of ssh, if it came through.
    ["-oProxyCommand=id", undefined],
    ["{{ x }}", undefined],
    ["", undefined],
  ] as const)
    it(`has ${host ?? "no"} ansible_host for the address ${address}`, () =>
      assert.equal(variablesOf({ address })["ansible_host"], host));

  for (const [model, shown] of [
    ["Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 4 Model B Rev 1.4"],
    ["{{ lookup('pipe', 'id') }}", "__ lookup__pipe_, _id__ __"],
    ["{% set x %}", "__ set x __"],
    ["\u001b[2JPi", "__2JPi"],
  ] as const)
    it(`lets no template through to Ansible: ${JSON.stringify(model)}`, () => {
      assert.ok(known.facts);
      assert.equal(variablesOf({ facts: { ...known.facts, model } })["pallet_model"], shown);
    });

  it("says which host has another name than its node, and which groups would have the same", () => {
    const { notes } = viewInventory([
      aNode({ name: "all", labels: { rack: "a-1" } }),
      aNode({ name: "pi-1", nodeId: "02:00:00:00:00:02", labels: { rack: "a_1" } }),
    ]);
    assert.equal(notes.length, 3);
    assert.match(notes[0] ?? "", /^the node all is the host node-000001 here.*controller node rename all NAME$/);
    assert.match(notes[1] ?? "", /^the group of label rack=a-1 is label_rack_a_1_[0-9a-f]{8}: /);
    assert.match(notes[2] ?? "", /^the group of label rack=a_1 is label_rack_a_1_[0-9a-f]{8}: /);
  });
});

describe("the inventory of any nodes", () => {
  const fromFew = (letters: string, constraints: fc.StringConstraints = {}) =>
    fc.string({ unit: fc.constantFrom(...letters), ...constraints });
  const labelPart = fc.oneof(fromFew("aA1._-", { maxLength: 6 }), fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/));
  const labelKey = fc
    .oneof(
      labelPart,
      fc.tuple(fromFew("ab.-", { maxLength: 5 }), labelPart).map((parts) => parts.join("/")),
      fc.constantFrom("all", "ungrouped", "meta", "hosts", "__proto__", "constructor"),
    )
    .filter((key) => problemOfLabelKey(key) === undefined);
  const labelValue = fc.oneof(fc.constant(""), labelPart).filter((value) => problemOfLabelValue(value) === undefined);
  const name = fc
    .oneof(fromFew("ab1-", { minLength: 1, maxLength: 4 }), fc.constantFrom("all", "ungrouped", "localhost", "hosts"))
    .filter((text) => problemOfNodeName(text) === undefined);
  const saidByNodes = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("{{ 7*7 }}", "{% x %}", "{# x #}", "_meta", "all", "", "\ud800"),
  );
  const states = fc.uniqueArray(fc.constantFrom<NodeState>("accepted", "online", "offline", "proved", "failed"));
  const nodes = fc
    .uniqueArray(
      fc.record({
        name,
        labels: fc.dictionary(labelKey, labelValue, { maxKeys: 5 }),
        model: saidByNodes,
        serial: saidByNodes,
        address: fc.oneof(saidByNodes, fc.ipV4(), fc.ipV6()),
        image: fc.constantFrom(null, "debian-12", "debian.12", "debian_12"),
        states,
      }),
      { selector: (node) => node.name, maxLength: 12 },
    )
    .map((all) =>
      all.map(({ model, serial, image, states: held, ...node }, index): InventoryNode => {
        assert.ok(known.facts);
        const nodeId = `02:00:00:00:00:${index.toString(16).padStart(2, "0")}`;
        return aNode({ ...node, nodeId, provedImageName: image, facts: { ...known.facts, model, serial } }, held);
      }),
    );

  it("is one that Ansible takes without a warning, and evaluates nothing of", () => {
    fc.assert(
      fc.property(nodes, (all) => {
        const { inventory } = viewInventory(all);
        const read: unknown = JSON.parse(JSON.stringify(inventory));
        assert.deepEqual(read, inventory);
        const { _meta, ...groups } = inventory;
        const hosts = new Set(Object.keys(_meta.hostvars));
        assert.equal(hosts.size, all.length);
        for (const [group, content] of Object.entries(groups)) {
          assert.match(group, /^(label|model|image|role|state)_[A-Za-z0-9_]*$/);
          assert.ok(!hosts.has(group), group);
          assert.deepEqual(Object.keys(content), ["hosts"]);
          const members = "hosts" in content ? (content["hosts"] as readonly string[]) : [];
          assert.equal(new Set(members).size, members.length);
          for (const host of members) assert.ok(hosts.has(host), host);
        }
        for (const host of hosts) assert.ok(!["all", "ungrouped", "localhost", "_meta"].includes(host), host);
        for (const variables of Object.values(_meta.hostvars)) {
          for (const key of Object.keys(variables)) assert.match(key, /^(pallet_[a-z_]+|ansible_host)$/);
          for (const text of textsOf(variables)) assert.doesNotMatch(text, /[{}()'"`\\]|(?!\n)\p{Cc}/u);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("has for each label and image the nodes that have it, in a group of its own", () => {
    fc.assert(
      fc.property(nodes, (all) => {
        const { _meta, ...groups } = viewInventory(all).inventory;
        const meant = new Map<string, Set<string>>();
        for (const { node } of all) {
          const what = Object.entries(node.labels).map(([key, value]) => `label ${key}=${value}`);
          for (const each of [...what, ...(node.provedImageName === null ? [] : [`image ${node.provedImageName}`])])
            meant.set(each, (meant.get(each) ?? new Set()).add(node.nodeId));
        }
        const idOf = (host: string) => String(_meta.hostvars[host]?.["pallet_node_id"]);
        const found = Object.entries(groups)
          .filter(([group]) => /^(label|image)_/.test(group))
          .map(([, content]) => ("hosts" in content ? (content["hosts"] as readonly string[]) : []).map(idOf));
        const asText = (ids: Iterable<string>) => [...ids].toSorted().join(" ");
        assert.deepEqual(found.map(asText).toSorted(), [...meant.values()].map(asText).toSorted());
      }),
    );
  });
});

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsOf(each)]);
}
