import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { devicesOverlap } from "../../../../agent/operations/devices-overlap.ts";

const table: [one: string, other: string, overlap: boolean][] = [
  ["/dev/mmcblk0", "/dev/mmcblk0", true],
  ["/dev/mmcblk0", "/dev/mmcblk0p1", true],
  ["/dev/mmcblk0p1", "/dev/mmcblk0p2", false],
  ["/dev/mmcblk0p1", "/dev/mmcblk0p12", false],
  ["/dev/mmcblk0", "/dev/mmcblk1", false],
  ["/dev/mmcblk0", "/dev/mmcblk0boot0", false],
  ["/dev/sda", "/dev/sda3", true],
  ["/dev/sda", "/dev/sdaa", false],
  ["/dev/sda", "/dev/sdaa1", false],
  ["/dev/sda1", "/dev/sda12", false],
  ["/dev/nvme0n1", "/dev/nvme0n1p2", true],
  ["/dev/nvme0n1", "/dev/nvme0n12", false],
  ["/dev/loop1", "/dev/loop10", false],
  ["/dev/loop1", "/dev/loop1p1", true],
  ["/dev/loop1", "/dev/loop10p1", false],
];

describe("devicesOverlap", () => {
  for (const [one, other, overlap] of table) {
    it(`${one} and ${other}: ${overlap ? "the same disk" : "apart"}`, () => {
      assert.equal(devicesOverlap(one, other), overlap);
      assert.equal(devicesOverlap(other, one), overlap);
    });
  }
});
