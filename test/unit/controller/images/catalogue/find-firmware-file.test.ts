import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findFirmwareBoot, findFirmwareFile } from "../../../../../controller/images/catalogue/find-firmware-file.ts";
import type { FirmwareBoot } from "../../../../../controller/images/catalogue/image.ts";

describe("a file of a firmware partition", () => {
  const files = ["config.txt", "MyKernel.img", "overlays/README"];
  for (const [path, found] of [
    ["MyKernel.img", "MyKernel.img"],
    ["mykernel.IMG", "MyKernel.img"],
    ["OVERLAYS/readme", "overlays/README"],
    ["overlays", undefined],
    ["other.img", undefined],
  ] as const)
    it(`${path} is ${found ?? "not there"}`, () => assert.equal(findFirmwareFile({ files }, path), found));
});

describe("what a board's firmware loads", () => {
  const boot = (kernel: string, ...boards: FirmwareBoot["boards"]): FirmwareBoot => ({
    boards,
    kernel,
    kernelFormat: "arm64-image",
    initrds: [],
    osPrefix: "",
    overlayPrefix: "overlays/",
  });
  const boots = [
    boot("kernel8.img", "pi2", "pi3", "pi3+", "pi02", "pi4", "cm4", "cm4s"),
    boot("kernel_2712.img", "pi5", "pi500", "cm5"),
  ];
  for (const [model, kernel] of [
    ["Raspberry Pi 2 Model B Rev 1.2", "kernel8.img"],
    ["Raspberry Pi 3 Model B Plus Rev 1.3", "kernel8.img"],
    ["Raspberry Pi Zero 2 W Rev 1.0", "kernel8.img"],
    ["Raspberry Pi 4 Model B Rev 1.4", "kernel8.img"],
    ["Raspberry Pi Compute Module 4S Rev 1.0", "kernel8.img"],
    ["Raspberry Pi 5 Model B Rev 1.0", "kernel_2712.img"],
    ["Raspberry Pi 500 Rev 1.0", "kernel_2712.img"],
    ["Raspberry Pi Compute Module 5 Rev 1.0", "kernel_2712.img"],
    ["Raspberry Pi 400 Rev 1.0", undefined],
    ["linux,dummy-virt", undefined],
  ] as const) {
    it(`on a ${model} is ${kernel ?? "nothing"}`, () =>
      assert.equal(findFirmwareBoot({ boots }, model)?.kernel, kernel));
  }
});
