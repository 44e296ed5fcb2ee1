import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nestLoopDevices, orderPartitions } from "../../../../agent/inventory/arrange-devices.ts";
import { withDescendants } from "../../../../proto/disk/device-tree.ts";
import { aDevice } from "../../proto/disk/a-device.ts";

const names = (devices: readonly { name: string }[]) => devices.map(({ name }) => name);

const card = aDevice("mmcblk0", { children: [aDevice("mmcblk0p1"), aDevice("mmcblk0p2")] });
const loop = (name: string) => aDevice(name, { type: "loop" });

describe("arranging devices", () => {
  it("lists partitions by their numbers, whatever order lsblk found them in, and others behind them", () => {
    const found = ["mmcblk0p10", "mmcblk0boot1", "mmcblk0p2", "mmcblk0p1", "mmcblk0boot0"].map((name) => aDevice(name));
    const ordered = ["mmcblk0p1", "mmcblk0p2", "mmcblk0p10", "mmcblk0boot1", "mmcblk0boot0"];
    assert.deepEqual(names(orderPartitions(found)), ordered);
  });

  it("puts loop devices on the disk or partition that they are over", () => {
    const backing = new Map([
      ["loop0", "/dev/mmcblk0"],
      ["loop1", "/dev/mmcblk0p2"],
      ["loop2", "/srv/disk.img"],
      ["loop3", "/dev/loop1"],
    ]);
    const [disk, file, ...others] = nestLoopDevices(
      [card, loop("loop0"), loop("loop1"), loop("loop2"), loop("loop3")],
      backing,
    );
    assert.deepEqual(others, []);
    assert.ok(disk && file);
    assert.deepEqual(names(withDescendants(disk)), ["mmcblk0", "mmcblk0p1", "mmcblk0p2", "loop1", "loop3", "loop0"]);
    assert.equal(file.name, "loop2");
  });

  it("leaves loop devices where they are when what they are over is not listed", () => {
    const devices = [card, loop("loop0")];
    assert.deepEqual(nestLoopDevices(devices, new Map([["loop0", "/dev/sdz"]])), devices);
  });
});
