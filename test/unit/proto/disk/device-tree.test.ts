import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { devicesOverlap } from "../../../../agent/operations/devices-overlap.ts";
import { findLineage, withDescendants } from "../../../../proto/disk/device-tree.ts";
import { aDevice } from "./a-device.ts";

const names = (devices: readonly { name: string }[]) => devices.map(({ name }) => name);

const card = aDevice("mmcblk0", { children: [aDevice("mmcblk0p1"), aDevice("mmcblk0p2")] });

describe("device tree", () => {
  it("lists a device before what is on it", () => {
    assert.deepEqual(names(withDescendants(card)), ["mmcblk0", "mmcblk0p1", "mmcblk0p2"]);
  });

  it("agrees with the names by which the agent keeps two writers off one disk", () => {
    const others = ["mmcblk0boot0", "mmcblk1", "sda", "sdaa", "loop1", "loop10", "nvme0n1"];
    const parts = [["sda1"], ["sda10"], ["loop1p1"], ["nvme0n1p2"]].flat();
    const devices = [
      card,
      ...others.map((name) =>
        aDevice(name, {
          type: "disk",
          children: parts.filter((part) => part.replace(/p?\d+$/, "") === name).map((part) => aDevice(part)),
        }),
      ),
    ];
    const all = devices.flatMap(withDescendants).map((device) => device.path);
    for (const one of all) {
      for (const other of all) {
        const isBelow = (above: string, below: string) =>
          findLineage(devices, above).some((device) => device.path === below);
        assert.equal(devicesOverlap(one, other), isBelow(one, other) || isBelow(other, one), `${one} and ${other}`);
      }
    }
  });

  it("finds the way down to a device", () => {
    assert.deepEqual(names(findLineage([aDevice("sda"), card], "/dev/mmcblk0p2")), ["mmcblk0", "mmcblk0p2"]);
    assert.deepEqual(findLineage([card], "/dev/mmcblk0p3"), []);
  });
});
