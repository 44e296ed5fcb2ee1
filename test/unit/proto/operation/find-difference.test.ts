import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findDifference } from "../../../../proto/operation/find-difference.ts";

const spec = { kind: "w", full: false, customisation: { resident: true, diskFirmware: { files: ["a", "b"] } } };

describe("findDifference", () => {
  for (const [title, other, field] of [
    ["nothing", structuredClone(spec), undefined],
    ["an absent field that is undefined elsewhere", { ...spec, growth: undefined }, undefined],
    ["a value", { ...spec, full: true }, "full"],
    ["what was left out", { ...spec, customisation: { resident: true } }, "customisation.disk_firmware"],
    ["what was added", { ...spec, growth: { endBytes: 1 } }, "growth"],
    [
      "an item of a list",
      { ...spec, customisation: { resident: true, diskFirmware: { files: ["a", "c"] } } },
      "customisation.disk_firmware.files.1",
    ],
    ["everything", undefined, ""],
  ] as const) {
    it(`finds ${title}`, () => {
      assert.equal(findDifference(spec, other), field);
      assert.equal(findDifference(other, spec), field);
    });
  }
});
