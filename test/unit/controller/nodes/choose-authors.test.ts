import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseAuthors } from "../../../../controller/nodes/choose-authors.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const id = "b8:27:eb:00:00:01" as NodeId;
const nodes = [{ id, name: "rack-1" } as Node];

for (const [text, expected] of [
  ["controller", { kind: "controller" }],
  ["agent", { kind: "agent" }],
  ["anonymous", { kind: "anonymous" }],
  ["anna", { name: "anna" }],
  ["1000", { name: "1000", uid: 1000 }],
  ["rack-1", { name: "rack-1", nodeId: id }],
  ["B8-27-EB-00-00-01", { name: "B8-27-EB-00-00-01", nodeId: id }],
  ["b8:27:eb:00:00:99", { name: "b8:27:eb:00:00:99", nodeId: "b8:27:eb:00:00:99" }],
] as const) {
  test(`--by ${text}`, () => assert.deepEqual(chooseAuthors(text, nodes), expected));
}
