import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectNewlyIndexed, withIndex } from "../../../../controller/nodes/choose-index.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { aNode } from "../boot/a-node.ts";

const node = (number: number, change: Parameters<typeof aNode>[0] = {}) =>
  aNode({ id: `b8:27:eb:00:00:0${number}` as NodeId, name: `pi-${number}`, ...change });

describe("the index of a node", () => {
  it("is the lowest that no other has, from 1 on", () => {
    assert.equal(withIndex(node(1), []).index, 1);
    assert.equal(withIndex(node(1), [node(2, { index: 1 }), node(3, { index: 3 })]).index, 2);
  });

  it("stays, and a pending node has none", () => {
    assert.equal(withIndex(node(1, { index: 7 }), [node(2, { index: 1 })]).index, 7);
    assert.equal(withIndex(node(1, { accepted: false }), []).index, undefined);
  });

  it("is given to nodes of an older Pallet by their names, digits by their value", () => {
    const nodes = [
      node(1, { name: "pi-10" }),
      node(2, { name: "pi-2" }),
      node(3, { index: 1 }),
      node(4, { accepted: false }),
    ];
    assert.deepEqual(
      selectNewlyIndexed(nodes).map(({ name, index }) => [name, index]),
      [
        ["pi-2", 2],
        ["pi-10", 3],
      ],
    );
  });
});
