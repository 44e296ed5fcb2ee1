import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planBootTree } from "../../../../controller/boot-tree/plan-boot-tree.ts";

const none = { write: [], unchanged: [], foreign: [], remove: [] };
const plan = (
  wanted: Record<string, string>,
  found: Record<string, string>,
  earlier: Record<string, string>,
  overwrite = false,
) =>
  planBootTree(new Map(Object.entries(wanted)), new Map(Object.entries(found)), new Map(Object.entries(earlier)), {
    overwrite,
  });

describe("a build of the boot tree", () => {
  it("writes what is not there", () => {
    assert.deepEqual(plan({ a: "1" }, {}, {}), { ...none, write: ["a"] });
  });
  it("keeps what is right already, whoever wrote it", () => {
    assert.deepEqual(plan({ a: "1" }, { a: "1" }, {}), { ...none, unchanged: ["a"] });
  });
  it("replaces what an earlier build wrote", () => {
    assert.deepEqual(plan({ a: "2" }, { a: "1" }, { a: "1" }), { ...none, write: ["a"] });
  });
  it("leaves alone what somebody else wrote or changed", () => {
    assert.deepEqual(plan({ a: "2", b: "2" }, { a: "mine", b: "mine" }, { b: "1" }), { ...none, foreign: ["a", "b"] });
  });
  it("replaces that too when it is told to", () => {
    assert.deepEqual(plan({ a: "2" }, { a: "mine" }, {}, true), { ...none, write: ["a"] });
  });
  it("removes what an earlier build wrote and this one has no use for, unless it was changed", () => {
    const earlier = { old: "1", changed: "1", gone: "1" };
    assert.deepEqual(plan({}, { old: "1", changed: "mine" }, earlier, true), { ...none, remove: ["old"] });
  });
});
