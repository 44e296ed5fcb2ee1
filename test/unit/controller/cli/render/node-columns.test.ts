// In which order nodes are listed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeColumns, sortFields, sortNodes } from "../../../../../controller/cli/render/node-columns.ts";
import { type NodeView, viewNode } from "../../../../../controller/cli/view/node-view.ts";
import { freshNode, installedNode, knownNode } from "../a-catalogue.ts";

const online = viewNode(knownNode);
const booting = viewNode(installedNode);
const fresh = viewNode(freshNode);
assert.ok(online.facts);
const { facts } = online;

const rack: readonly NodeView[] = [
  { ...online, name: "pi-10", address: "10.0.0.9", labels: { rack: "b10" }, facts: { ...facts, model: "Pi 5" } },
  { ...booting, name: "pi-9", address: "10.0.0.10", labels: { rack: "b9", constructor: "x" } },
  { ...fresh, name: "pi-1", facts: null },
];

describe("nodes are sorted", () => {
  for (const [field, order] of [
    ["name", "pi-1 pi-9 pi-10"],
    ["status", "pi-9 pi-1 pi-10"],
    ["accepted", "pi-1 pi-9 pi-10"],
    ["runs", "pi-10 pi-9 pi-1"],
    ["boots", "pi-1 pi-10 pi-9"],
    // Who was seen longest ago first.
    ["seen", "pi-9 pi-10 pi-1"],
    ["proved", "pi-9 pi-10 pi-1"],
    ["mac", "pi-10 pi-9 pi-1"],
    // Digits by their value, and who has none last.
    ["address", "pi-10 pi-9 pi-1"],
    ["model", "pi-10 pi-9 pi-1"],
    ["label:rack", "pi-9 pi-10 pi-1"],
    ["label:constructor", "pi-9 pi-1 pi-10"],
    ["label:toString", "pi-1 pi-9 pi-10"],
  ] as const)
    it(`by ${field}: ${order}`, () => {
      for (const nodes of [rack, rack.toReversed()])
        assert.equal(
          sortNodes(nodes, field)
            .map(({ name }) => name)
            .join(" "),
          order,
        );
    });

  it("by every column", () => {
    assert.equal(sortFields.length, nodeColumns.length);
    for (const field of sortFields) assert.equal(sortNodes(rack, field).length, rack.length);
  });
});
