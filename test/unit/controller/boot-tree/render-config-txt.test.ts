import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderConfigTxt } from "../../../../controller/boot-tree/render-config-txt.ts";
import { assertGolden } from "../../../golden.ts";

describe("config.txt", () => {
  it("is what it was when it was looked at last", () => assertGolden("boot-tree/config.txt", renderConfigTxt()));

  it("has no line that the firmware would cut at 98 characters", () => {
    for (const line of renderConfigTxt().split("\n")) assert.ok(line.length <= 98, line);
  });

  it("ends in a section for all boards, so that more can be added", () => {
    assert.equal([...renderConfigTxt().matchAll(/^\[.*\]$/gm)].at(-1)?.[0], "[all]");
  });
});
