import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { holdsSystem } from "../../../../controller/nodes/holds-system.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";

const device = (path: string, more: Partial<BlockDevice> = {}): BlockDevice =>
  ({ path, partitionNumber: 0, startBytes: 0, children: [], ...more }) as unknown as BlockDevice;
const part = (disk: string, number: number, startBytes: number): BlockDevice =>
  device(`${disk}p${number}`, { partitionNumber: number, startBytes });
const card = "/dev/mmcblk0";
const other = "/dev/sda";
const devices = [
  device(card, { children: [part(card, 1, 4096), part(card, 2, 2 ** 29)] }),
  device(other, { children: [part(other, 1, 4096)] }),
];

describe("erasing takes away the system", () => {
  for (const [path, takes] of [
    [card, true],
    [`${card}p2`, true],
    [`${card}p1`, false],
    [other, false],
    [`${other}p1`, false],
    ["/dev/none", false],
  ] as const)
    it(`${takes ? "on" : "not on"} ${path}`, () =>
      assert.equal(holdsSystem(devices, path, { number: 2, offsetBytes: 2 ** 29 }), takes));
});
