import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findLineage, withDescendants } from "../../../../proto/disk/device-tree.ts";
import { aDevice } from "./a-device.ts";

const names = (devices: readonly { name: string }[]) => devices.map(({ name }) => name);

const card = aDevice("mmcblk0", { children: [aDevice("mmcblk0p1"), aDevice("mmcblk0p2")] });

describe("device tree", () => {
  it("lists a device before what is on it", () => {
    assert.deepEqual(names(withDescendants(card)), ["mmcblk0", "mmcblk0p1", "mmcblk0p2"]);
  });

  it("finds the way down to a device", () => {
    assert.deepEqual(names(findLineage([aDevice("sda"), card], "/dev/mmcblk0p2")), ["mmcblk0", "mmcblk0p2"]);
    assert.deepEqual(findLineage([card], "/dev/mmcblk0p3"), []);
  });
});
