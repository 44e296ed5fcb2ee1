// Selectors are understood in one place. A table of what each part means, and the laws by which parts combine.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { requireNode } from "../../../../controller/nodes/find-node.ts";
import { compileGlob } from "../../../../controller/nodes/glob.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { matchesLabels, parseLabelSelector } from "../../../../controller/nodes/parse-label-selector.ts";
import { parseSelector, type SelectorText } from "../../../../controller/nodes/parse-selector.ts";
import { type NodeStanding, selectNodes } from "../../../../controller/nodes/select-nodes.ts";
import type { NodeState } from "../../../../proto/words/node-state.ts";

interface Facts {
  readonly name: string;
  readonly accepted?: boolean;
  readonly labels?: Record<string, string>;
  readonly agent?: boolean;
  readonly proved?: boolean;
  readonly serial?: string;
  readonly standing?: Partial<NodeStanding>;
}

const rack: readonly Facts[] = [
  { name: "pi-10", accepted: true, labels: { rack: "a", shelf: "1" }, agent: true, standing: { online: true } },
  {
    name: "pi-2",
    accepted: true,
    labels: { rack: "a", shelf: "2" },
    agent: true,
    proved: true,
    serial: "10000000abcd0002",
  },
  { name: "pi-1", accepted: true, labels: { rack: "b" }, agent: true, standing: { failed: true } },
  { name: "node-000004", agent: true, standing: { online: true, reimaging: true } },
  { name: "node-000005" },
];
const nodes = rack.map(
  ({ name, accepted = false, labels, agent, proved, serial }, index) =>
    ({
      ...{ id: `b8:27:eb:00:00:0${index}`, name, accepted },
      ...(labels && { labels }),
      ...(agent && { agent: {}, facts: { serial: serial ?? "" } }),
      ...(proved && { proved: {} }),
    }) as Node,
);
const source = { list: () => nodes, require: (text: string) => requireNode(nodes, text) };
const standingOf = ({ id }: Node): NodeStanding => ({
  ...{ online: false, reimaging: false, failed: false },
  ...rack[nodes.findIndex((node) => node.id === id)]?.standing,
});
const nothing: SelectorText = { nodes: [], all: false, labelSelector: "", states: [] };
const names = (text: Partial<SelectorText>, acceptedOnly = false) =>
  selectNodes(parseSelector({ ...nothing, ...text }), source, { standingOf, acceptedOnly }).map(({ name }) => name);
const everyone = ["node-000004", "node-000005", "pi-1", "pi-2", "pi-10"];

describe("the nodes that a selector means", () => {
  const states: readonly (readonly [NodeState[], readonly string[]])[] = [
    [["online"], ["node-000004", "pi-10"]],
    [["offline"], ["node-000005", "pi-1", "pi-2"]],
    [["discovered"], ["node-000005"]],
    [["accepted"], ["pi-1", "pi-2", "pi-10"]],
    [["unaccepted"], ["node-000004", "node-000005"]],
    [["proved"], ["pi-2"]],
    [["unproved"], ["node-000004", "node-000005", "pi-1", "pi-10"]],
    [["failed"], ["pi-1"]],
    [["reimaging"], ["node-000004"]],
    [
      ["offline", "accepted"],
      ["pi-1", "pi-2"],
    ],
    [["failed", "proved"], []],
  ];
  for (const [asked, expected] of states)
    it(`by state ${asked.join(" and ")}`, () => assert.deepEqual(names({ states: asked }), expected));

  for (const [labelSelector, expected] of [
    ["rack=a", ["pi-2", "pi-10"]],
    ["rack==a", ["pi-2", "pi-10"]],
    [" rack = a , shelf != 2 ", ["pi-10"]],
    ["rack!=a", ["node-000004", "node-000005", "pi-1"]],
    ["rack in (a, b)", ["pi-1", "pi-2", "pi-10"]],
    ["rack in (b)", ["pi-1"]],
    ["rack notin (a,b)", ["node-000004", "node-000005"]],
    ["shelf", ["pi-2", "pi-10"]],
    ["!shelf,rack", ["pi-1"]],
    ["! rack", ["node-000004", "node-000005"]],
    ["rack in (a),shelf in (1,2),shelf!=1", ["pi-2"]],
    ["constructor", []],
    ["rack=", []],
  ] as const)
    it(`by labels ${labelSelector}`, () => assert.deepEqual(names({ labelSelector }), expected));

  for (const [pattern, expected] of [
    ["pi-*", ["pi-1", "pi-2", "pi-10"]],
    ["pi-?", ["pi-1", "pi-2"]],
    ["pi-[1-2]", ["pi-1", "pi-2"]],
    ["pi-[!1]*", ["pi-2"]],
    ["*", everyone],
    ["B8:27:EB:*0[02]", ["pi-1", "pi-10"]],
    ["1000*2", ["pi-2"]],
  ] as const)
    it(`by the pattern ${pattern}`, () => assert.deepEqual(names({ nodes: [pattern] }), expected));

  it("by name, MAC address or serial number, each once, in natural order", () =>
    assert.deepEqual(names({ nodes: ["pi-10", "B8-27-EB-00-00-00", "10000000ABCD0002", "pi-?"] }), [
      "pi-1",
      "pi-2",
      "pi-10",
    ]));

  it("are all, or those that fit everything that is said", () => {
    assert.deepEqual(names({ all: true }), everyone);
    assert.deepEqual(names({ all: true, labelSelector: "rack=a", states: ["proved"] }), ["pi-2"]);
    assert.deepEqual(names({ nodes: ["pi-*"], labelSelector: "rack=a", states: ["offline"] }), ["pi-2"]);
  });

  it("are accepted ones alone where that counts, unless they are named in full", () => {
    const accepted = ["pi-1", "pi-2", "pi-10"];
    assert.deepEqual(names({ all: true }, true), accepted);
    assert.deepEqual(names({ nodes: ["*"] }, true), accepted);
    assert.deepEqual(names({ labelSelector: "nothing!=x" }, true), accepted);
    assert.deepEqual(names({ states: ["online"] }, true), ["pi-10"]);
    assert.deepEqual(names({ nodes: ["node-000005", "pi-1*"] }, true), ["node-000005", "pi-1", "pi-10"]);
    assert.throws(
      () => names({ nodes: ["node-*"] }, true),
      /only nodes that are not accepted \(node-000004, node-000005\)/,
    );
  });

  for (const [given, message] of [
    [["pi-3"], /there is no node "pi-3"; did you mean pi-1 or pi-2 or pi-10\?; "controller nodes" lists/],
    [["po-*"], /no node matches "po-\*"; there are pi-1, pi-2, pi-10; "controller nodes" lists/],
    [["zzz*"], /no node matches "zzz\*"; "controller nodes" lists/],
    [["pi-1", "pi-77*"], /no node matches "pi-77\*"/],
  ] as const)
    it(`are none when ${given.join(" ")} means none: an error that names what is near`, () =>
      assert.throws(() => names({ nodes: given }), message));
});

describe("a selector that cannot be read", () => {
  for (const [text, message] of [
    [{}, /no node is named/],
    [{ nodes: ["a"], all: true }, /not both/],
    [{ nodes: [""] }, /is empty/],
    [{ states: ["online", "offline"] }, /both online and offline/],
    [{ states: ["discovered", "online"] }, /both online and discovered/],
    [{ labelSelector: "," }, /a key is missing/],
    [{ labelSelector: "rack=a," }, /a key is missing/],
    [{ labelSelector: "rack in a" }, /"rack in a" cannot be read/],
    [{ labelSelector: "rack in (a" }, /cannot be read/],
    [{ labelSelector: "rack>1" }, /numbers are not compared/],
    [{ labelSelector: `${"rack not".repeat(200)}>` }, /^.{0,400}$/],
    [{ labelSelector: "rack=a b" }, /cannot be read/],
    [{ labelSelector: "=a" }, /cannot be read/],
    [{ labelSelector: "x".repeat(5000) }, /has 5000 characters/],
    [{ labelSelector: `rack=${"x".repeat(64)}` }, /cannot be the value/],
  ] as const)
    it(`${JSON.stringify(text).slice(0, 60)} says so`, () =>
      assert.throws(() => parseSelector({ ...nothing, ...text } as SelectorText), message));

  it("never fails otherwise, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab=!,() innot\u{1f600}<"), maxLength: 20 }), (text) => {
        try {
          parseLabelSelector(text);
        } catch (error) {
          assert.match((error as Error).message, /cannot be read/);
        }
      }),
    );
  });
});

describe("the laws of selectors", () => {
  const labels = fc.dictionary(fc.constantFrom("rack", "shelf"), fc.constantFrom("a", "b", ""), {
    noNullPrototype: true,
  });
  const value = fc.constantFrom("a", "b");
  const key = fc.constantFrom("rack", "shelf");

  it("!= is the opposite of =, notin of in, ! of a key", () => {
    fc.assert(
      fc.property(labels, key, value, value, (given, name, one, other) => {
        const is = (text: string) => matchesLabels(given, parseLabelSelector(text));
        assert.equal(is(`${name}=${one}`), !is(`${name}!=${one}`));
        assert.equal(is(`${name} in (${one},${other})`), !is(`${name} notin (${one},${other})`));
        assert.equal(is(name), !is(`!${name}`));
        assert.equal(is(`${name} in (${one},${other})`), is(`${name}=${one}`) || is(`${name}=${other}`));
      }),
    );
  });

  it("more conditions never mean more nodes, and a comma is an AND", () => {
    const part = fc.constantFrom("rack=a", "rack!=a", "shelf", "!shelf", "rack in (a,b)", "shelf notin (2)");
    const state = fc.constantFrom<NodeState>("online", "accepted", "proved", "failed");
    fc.assert(
      fc.property(part, part, state, fc.boolean(), (one, other, wanted, acceptedOnly) => {
        const both = names({ labelSelector: `${one},${other}`, states: [wanted] }, acceptedOnly);
        const each = [
          names({ labelSelector: one }, acceptedOnly),
          names({ labelSelector: other }),
          names({ states: [wanted] }),
        ];
        assert.deepEqual(
          both,
          names({ all: true }, acceptedOnly).filter((name) => each.every((list) => list.includes(name))),
        );
      }),
    );
  });

  it("a name or a pattern that means no node is repeated as far as a message bears", () => {
    for (const text of ["x".repeat(9_000), `*${"x".repeat(9_000)}`])
      assert.throws(
        () => names({ nodes: [text] }),
        ({ message }: Error) => message.length < 300 && /xxxx…"/.test(message),
      );
  });

  it("a pattern matches as the regular expression does that it stands for, in time that does not explode", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab-"), maxLength: 10 });
    const pattern = fc.string({ unit: fc.constantFrom(..."ab-*?"), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (glob, name) => {
        const expression = new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`);
        assert.equal(compileGlob(glob)(name), expression.test(name), `${glob} ${name}`);
      }),
    );
    assert.equal(compileGlob(`${"*a".repeat(2000)}b`)("a".repeat(4000)), false);
    // One character is one, also where UTF-16 has two units for it.
    for (const glob of ["\u{1f4a5}", "?", "[\u{1f4a4}-\u{1f4a6}]", "[!a]"])
      assert.equal(compileGlob(glob)("\u{1f4a5}"), true, glob);
  });
});
