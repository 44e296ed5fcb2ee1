import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBoard, findNode } from "../../../../controller/nodes/find-node.ts";
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

describe("the node that a person means by a serial number", () => {
  const nodes = [
    aNode("dc:a6:32:00:00:01", "100000005e1fabcd"),
    aNode("dc:a6:32:00:00:02", "1000000000000002"),
    aNode("dc:a6:32:00:00:03", "2000000000000002"),
    aNode("dc:a6:32:00:00:04", "00000002"),
  ];
  for (const [text, id] of [
    ["100000005E1FABCD", "dc:a6:32:00:00:01"],
    ["5e1fabcd", "dc:a6:32:00:00:01"],
    ["1fabcd", undefined],
    ["2000000000000002", "dc:a6:32:00:00:03"],
    // A whole one before the end of others.
    ["00000002", "dc:a6:32:00:00:04"],
  ] as const)
    it(`${text}: ${id ?? "none"}`, () => assert.equal(findNode(nodes, text)?.id, id));

  it("is never one of several", () => {
    assert.throws(() => findNode(nodes.slice(0, 3), "00000002"), /several nodes.*00:02, .*00:03; use a name/);
  });
});
