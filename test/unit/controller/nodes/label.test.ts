import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  changedLabels,
  problemOfLabelChanges,
  problemOfLabelling,
  renderLabels,
} from "../../../../controller/nodes/label.ts";

describe("labels", () => {
  for (const [key, value] of [
    ["rack", "a"],
    ["rack", ""],
    ["Rack_1.x-y", "A_b.c-9"],
    ["pallet.example/rack", "1"],
    ["k".repeat(63), "v".repeat(63)],
  ] as const)
    it(`may be ${key}=${value}`, () => {
      assert.equal(problemOfLabelChanges({ set: { [key]: value }, remove: [] }), undefined);
    });

  for (const [key, value, problem] of [
    ["", "a", /"" cannot be the key/],
    ["-rack", "a", /cannot be the key/],
    ["rack.", "a", /cannot be the key/],
    ["__proto__", "a", /cannot be the key/],
    ["k".repeat(64), "a", /cannot be the key/],
    ["a b", "a", /cannot be the key/],
    ["UPPER/rack", "a", /DNS name/],
    ["/rack", "a", /DNS name/],
    ["a/b/c", "a", /cannot be the key/],
    ["rack", "a b", /cannot be the value/],
    ["rack", "-a", /cannot be the value/],
    ["rack", "v".repeat(64), /cannot be the value/],
    ["rack", "\u001b[2J", /"\\u001b\[2J" cannot be the value/],
  ] as const)
    it(`may not be ${JSON.stringify(key)}=${JSON.stringify(value)}`, () => {
      const set = Object.fromEntries([[key, value]]);
      assert.match(problemOfLabelChanges({ set, remove: [] }) ?? "", problem);
    });

  it("are set, changed and removed, and listed by key", () => {
    const labels = changedLabels(
      { shelf: "2", rack: "a" },
      { set: { rack: "b", "key-10": "", "key-9": "" }, remove: ["shelf"] },
    );
    assert.equal(renderLabels(labels), "key-9=,key-10=,rack=b");
  });

  it("are not changed without --overwrite, and set to what they are with or without it", () => {
    const labels = { rack: "a" };
    const to = (value: string) => ({ set: { rack: value }, remove: [] });
    assert.equal(problemOfLabelling(labels, to("b"), false)?.kind, "taken");
    assert.equal(problemOfLabelling(labels, to("b"), true), undefined);
    assert.equal(problemOfLabelling(labels, to("a"), false), undefined);
    assert.equal(problemOfLabelling({}, to("b"), false), undefined);
  });

  it("are looked up by their own keys alone", () => {
    assert.equal(problemOfLabelling({}, { set: { constructor: "x" }, remove: [] }, false), undefined);
    assert.deepEqual(changedLabels({}, { set: {}, remove: ["constructor"] }), {});
  });
});
