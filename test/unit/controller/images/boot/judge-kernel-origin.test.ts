import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceTree, judgeKernelOrigin } from "../../../../../controller/images/boot/judge-kernel-origin.ts";
import type { KernelOrigin } from "../../../../../controller/images/catalogue/image.ts";

const tree = (path: string, hasOverrides?: boolean): DeviceTree => ({
  path,
  ...(hasOverrides !== undefined && { hasOverrides }),
});

const cases: readonly (readonly [
  string,
  KernelOrigin,
  string,
  boolean,
  readonly DeviceTree[],
  (readonly string[])?,
])[] = [
  ["a release of Raspberry Pi OS", "raspberry-pi", "vmlinuz-6.12.25+rpt-rpi-v8", false, []],
  ["a release of older Raspberry Pi OS", "raspberry-pi", "vmlinuz-5.15.84-v8+", true, []],
  ["a release of Ubuntu for Pis", "raspberry-pi", "boot/vmlinuz-6.8.0-1004-raspi", false, []],
  ["a device tree with overrides", "raspberry-pi", "kernel8.img", true, [tree("bcm2711-rpi-4-b.dtb", true)]],
  ["a device tree by a name that mainline has not", "raspberry-pi", "kernel8.img", true, [tree("bcm2710-rpi-3-b.dtb")]],
  ["device trees of mainline", "upstream", "vmlinuz-6.1.0-18-arm64", true, [tree("bcm2837-rpi-3-b.dtb", false)]],
  ["Debian's release off the FAT", "upstream", "vmlinuz-6.1.0-18-arm64", false, [tree("bcm2711-rpi-4-b.dtb", true)]],
  ["nothing but a kernel", "unknown", "kernel8.img", true, []],
  ["names of Raspberry Pi's packages alone", "raspberry-pi", "kernel8.img", true, [], ["overlays/overlay_map.dtb"]],
  ["another kernel beside overlays", "unknown", "Image", true, [], ["overlays/overlay_map.dtb"]],
];

describe("whose kernel it is", () => {
  for (const [title, origin, kernel, isOnFat, trees, files = []] of cases) {
    it(`is judged ${origin} by ${title}`, () => {
      assert.equal(judgeKernelOrigin(files, kernel, isOnFat, trees), origin);
    });
  }
});
