import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseExpiredNodes,
  chooseForDiscovery,
  chooseForRegistration,
  expiresAfterMs,
  freshMs,
} from "../../../../controller/nodes/choose-expired-nodes.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const at = Date.UTC(2026, 10, 29);
const agent = { role: "netboot" } as NonNullable<Node["agent"]>;
const imageDigest = "d".repeat(64) as NonNullable<Node["proved"]>["imageDigest"];

function aNode(last: number, quietMs: number, more: Partial<Node> = {}): Node {
  const id = `02:00:00:00:00:${last.toString(16).padStart(2, "0")}` as NodeId;
  const name = `node-00000${last}`.slice(0, 11);
  const seen = { lastSeenAt: at - quietMs, discoveredAt: at - quietMs };
  return { id, name, accepted: false, bootTarget: { kind: "agent" }, ...seen, ...more };
}

const somebodys: readonly [what: string, more: Partial<Node>][] = [
  ["was accepted", { accepted: true }],
  ["has a name", { name: "shelf-1" }],
  ["has a label", { labels: { rack: "a" } }],
  ["boots its own system", { bootTarget: { kind: "local", imageDigest } }],
  ["has proved an image", { proved: { imageName: "debian", imageDigest, kind: "weak" } }],
  ["was written to", { installation: { imageDigest, reimageId: "r" } }],
  [
    "has the words of a board that another took the place of",
    {
      board: {
        serial: "2",
        replaced: { serial: "1", since: 0, name: "shelf-1", accepted: true, bootTarget: { kind: "agent" } },
      },
    },
  ],
];

describe("nodes that nobody accepted", () => {
  it("expire when all that is known of them is that they asked, a day ago", () => {
    const nodes = [aNode(1, expiresAfterMs), aNode(2, expiresAfterMs - 1), aNode(3, -expiresAfterMs)];
    assert.deepEqual(chooseExpiredNodes(nodes, at), [nodes[0], nodes[2]]);
    assert.deepEqual(chooseExpiredNodes([aNode(1, expiresAfterMs, { agent })], at), []);
  });

  for (const [what, more] of somebodys)
    it(`stay where the node ${what}`, () => {
      const nodes = [aNode(1, 10 * expiresAfterMs, more)];
      assert.deepEqual(chooseExpiredNodes(nodes, at), []);
      assert.equal(chooseForDiscovery(nodes, at), undefined);
      const newcomer = { address: "10.0.0.9", at };
      assert.equal(
        chooseForRegistration(nodes, newcomer, () => false),
        undefined,
      );
    });

  it("make room for one that asks: who was seen longest ago, and nobody who was seen just now", () => {
    const nodes = [aNode(1, freshMs), aNode(2, freshMs + 2), aNode(3, freshMs + 9, { agent }), aNode(4, freshMs + 1)];
    assert.equal(chooseForDiscovery(nodes, at), nodes[1]);
    assert.equal(chooseForDiscovery([aNode(1, freshMs - 1)], at), undefined);
  });

  it("make room for one that registers: strangers first, then who is silent, then the newest of the most", () => {
    const address = "10.0.0.66";
    const newcomer = { address: "10.0.0.9", at };
    const strangers = [aNode(1, 0), aNode(2, 1)];
    const silent = [aNode(3, freshMs, { agent }), aNode(4, freshMs + 1, { agent })];
    const online = [
      aNode(5, 1, { agent, address: "10.0.0.5" }),
      aNode(6, 3, { agent, address }),
      aNode(7, 2, { agent, address }),
    ];
    const choose = (nodes: readonly Node[], asking = newcomer) =>
      chooseForRegistration(nodes, asking, (node) => online.includes(node));
    assert.equal(choose([...online, ...silent, ...strangers]), strangers[1]);
    assert.equal(choose([...online, ...silent]), silent[1]);
    assert.equal(choose(online), online[2]);
    assert.equal(choose(online, { ...newcomer, address }), undefined);
    assert.equal(choose(online.slice(0, 2)), undefined);
  });
});
