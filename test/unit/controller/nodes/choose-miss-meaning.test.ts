import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isExpectedMiss } from "../../../../controller/nodes/choose-miss-meaning.ts";

const normal = [
  "bootsig.bin",
  "/bootsig.bin",
  "5e1fabcd/bootsig.bin",
  "autoboot.txt",
  "5e1fabcd/recovery.elf",
  "recover4.elf",
  "5e1fabcd/pieeprom.sig",
  "pieeprom.upd",
  "vl805.sig",
  "b8-27-eb-00-00-01/dt-blob.bin",
  "bootcfg.txt",
  "cmdline.txt",
  "armstub8-gic.bin",
  "armstub8-2712.bin",
  "overlays/overlay_map.dtb",
  "5e1fabcd/pallet/0123456789ab/overlays/README",
  "5e1fabcd/pallet/0123456789ab/kernel",
  "upstream/u-boot.bin",
  "upstream/bcm2711-rpi-4-b.dtb",
  "boot.img",
  "pxelinux.cfg/0A4D0001",
  "pxelinux.cfg/default-arm-bcm283x",
  "agent/pxelinux.cfg/default",
];
const real = [
  "bootcode.bin",
  "start.elf",
  "start4.elf",
  "5e1fabcd/start4.elf",
  "fixup4.dat",
  "config.txt",
  "u-boot.bin",
  "kernel7.img",
  "kernel_2712.img",
  "bcm2711-rpi-4-b.dtb",
  "overlays/vc4-kms-v3d.dtbo",
  "agent/vmlinuz",
  "agent/initrd.img",
  "images/recovery.elf",
  "recovery.elf.txt",
  "pxelinux.0",
];

describe("a boot file that is missing", () => {
  for (const path of normal)
    it(`is no news where boards only look for it: ${path}`, () => assert.equal(isExpectedMiss(path), true));
  for (const path of real)
    it(`is news where a board cannot do without: ${path}`, () => assert.equal(isExpectedMiss(path), false));
});
