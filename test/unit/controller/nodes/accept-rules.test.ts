import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { type AcceptRules, chooseAcceptRule } from "../../../../controller/nodes/choose-accept-rule.ts";
import { createKeptAcceptRules } from "../../../../controller/nodes/kept-accept-rules.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { createNodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const id = "b8:27:eb:00:00:0a" as NodeId;
const facts = { serial: "10000000a1b2c3d4" } as NodeFacts;
const pending: Node = {
  ...{ id, name: "node-00000a", accepted: false, bootTarget: { kind: "agent" }, lastSeenAt: 0, discoveredAt: 0 },
  facts,
};
const none: AcceptRules = { configured: [], expected: [], next: 0 };
const replaced = { serial: "1", since: 0, name: "pi-1", accepted: true, bootTarget: { kind: "agent" } } as const;

describe("the rules by which boards are accepted", () => {
  const table: readonly [what: string, rules: Partial<AcceptRules>, node: Partial<Node>, rule: unknown][] = [
    ["no rule", {}, {}, undefined],
    ["the MAC address", { configured: [id] }, {}, { kind: "configured", pattern: id }],
    ["it in another notation", { expected: ["B8-27-EB-00-00-0A"] }, {}, "B8-27-EB-00-00-0A"],
    ["a pattern of MAC addresses", { expected: ["B8:27:*"] }, {}, "B8:27:*"],
    ["the serial number", { expected: ["10000000A1B2C3D4"] }, {}, "10000000A1B2C3D4"],
    ["a pattern of serial numbers", { expected: ["*c3d?"] }, {}, "*c3d?"],
    ["another board's", { expected: ["b8:27:eb:00:00:0b", "10000000a1b2c3d5", "*e"] }, {}, undefined],
    ["a name, which anybody may get", { expected: ["node-00000a"] }, {}, undefined],
    [
      "a pattern, of a board without a serial number",
      { expected: ["1*"] },
      { facts: { serial: "" } as NodeFacts },
      undefined,
    ],
    ["a name before a number", { expected: [id], next: 3 }, {}, id],
    ["a number", { next: 3 }, {}, { kind: "next", left: 2 }],
    ["a number, of one that only asked for a boot file", { next: 3 }, { facts: undefined } as object, undefined],
    ["a number, of one that is accepted", { next: 3 }, { accepted: true }, undefined],
    [
      "any, of one that took another's place",
      { next: 3, expected: [id] },
      { board: { serial: "2", replaced } },
      undefined,
    ],
  ];
  for (const [what, rules, node, rule] of table)
    it(`by ${what}`, () => {
      const found = chooseAcceptRule({ ...none, ...rules }, { ...pending, ...node });
      assert.deepEqual(
        typeof rule === "string" ? found : (found ?? undefined),
        typeof rule === "string" ? { kind: "expected", pattern: rule } : rule,
      );
    });

  function open(store: ReturnType<typeof openStore>, configured: readonly string[] = []) {
    const events: NewEvent[] = [];
    const log = { error: () => assert.fail() };
    const rules = createKeptAcceptRules({ rows: store.settings, configured, log });
    const nodes = createNodeRegistry({
      ...{ rows: store.nodes, clock: createManualClock(), heartbeatIntervalMs: 10_000, log, acceptRules: rules },
      events: { append: (event) => events.push(event) },
    });
    const arrives = (last: number): boolean => {
      const mac = `b8:27:eb:00:00:0${last}` as NodeId;
      const interfaces = [{ name: "eth0", mac, addresses: [] }];
      const found = { ...facts, serial: `${last}`, bootId: "b", interfaces, root: { source: "", disk: "" } };
      const agent = { version: "1", role: "netboot" as const, instanceId: "i", port: 1 };
      return nodes.register({ id: mac, facts: found as unknown as NodeFacts, agent }).accepted;
    };
    return { events, rules, nodes, arrives };
  }

  it("are kept over a restart, count each board once, and each acceptance names its rule", () => {
    const store = openStore(":memory:");
    const first = open(store);
    first.rules.change({ next: 2, expect: ["b8:27:eb:00:00:03"], noLongerExpect: [] });
    assert.deepEqual([first.arrives(1), first.arrives(1), first.arrives(3)], [true, true, true]);
    const second = open(store);
    assert.deepEqual(second.rules.now(), { configured: [], expected: ["b8:27:eb:00:00:03"], next: 1 });
    assert.deepEqual([second.arrives(4), second.arrives(5)], [true, false]);
    const said = [...first.events, ...second.events].filter(({ type }) => type === "node-accepted-by-rule");
    assert.deepEqual(
      said.map(({ message }) => message),
      [
        "node-000001 was accepted by the rule that the next boards are: 1 more",
        'node-000003 was accepted by the rule "b8:27:eb:00:00:03" of "node accept --expect"',
        "node-000004 was accepted by the rule that the next boards are: 0 more",
      ],
    );
  });

  it("accept those that wait already and are named, and none by a number", () => {
    const store = openStore(":memory:");
    const { nodes, rules, arrives } = open(store);
    assert.deepEqual([arrives(1), arrives(2)], [false, false]);
    rules.change({ next: 2, expect: ["*:02"], noLongerExpect: [] });
    assert.deepEqual(
      nodes.acceptNamed().map(({ name }) => name),
      ["node-000002"],
    );
    assert.deepEqual([nodes.acceptNamed(), rules.now().next], [[], 2]);
    rules.change({ expect: [], noLongerExpect: ["*:02"] });
    assert.deepEqual(rules.now(), { configured: [], expected: [], next: 2 });
  });
});
