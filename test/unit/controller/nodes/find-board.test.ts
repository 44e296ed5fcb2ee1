import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBoard } from "../../../../controller/nodes/find-node.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

/** A node of which only what is looked at is there. */
function aNode(id: string, serial?: string): Node {
  const facts = serial === undefined ? {} : { facts: { serial } };
  return { id: id as NodeId, name: id, accepted: true, ...facts } as Node;
}

describe("the board that firmware names in its paths", () => {
  const nodes = [
    aNode("dc:a6:32:00:00:01", "100000005E1FABCD"),
    aNode("dc:a6:32:00:00:02", "1000000000000002"),
    aNode("dc:a6:32:00:00:03", "2000000000000002"),
    aNode("dc:a6:32:00:00:04"),
  ];
  for (const [what, board, mac] of [
    ["its MAC address, known or not", { mac: "dc:a6:32:00:00:09" as NodeId }, "dc:a6:32:00:00:09"],
    ["the end of its serial number", { serial: "5e1fabcd" }, "dc:a6:32:00:00:01"],
    ["the serial number of no node", { serial: "00000009" }, undefined],
    ["a serial number that two nodes end in", { serial: "00000002" }, undefined],
    ["nothing", undefined, undefined],
  ] as const)
    it(`is found by ${what}: ${mac ?? "none"}`, () => assert.equal(findBoard(nodes, board), mac));
});
