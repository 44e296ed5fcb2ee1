import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boardFirmwareOf } from "../../../../controller/nodes/board-firmware.ts";

describe("boardFirmwareOf", () => {
  // As the device trees of Raspberry Pi's and mainline's kernels name them.
  for (const [model, cardFirst, file] of [
    ["Raspberry Pi 2 Model B Rev 1.2", true, "start.elf"],
    ["Raspberry Pi 2 Model B", true, "start.elf"],
    ["Raspberry Pi 3 Model B Rev 1.2", true, "start.elf"],
    ["Raspberry Pi 3 Model B", true, "start.elf"],
    ["Raspberry Pi 3 Model B Plus Rev 1.3", true, "bootcode.bin"],
    ["Raspberry Pi 3 Model A Plus Rev 1.0", true, "bootcode.bin"],
    ["Raspberry Pi Compute Module 3 Plus Rev 1.0", true, "bootcode.bin"],
    ["Raspberry Pi Zero 2 W Rev 1.0", true, "bootcode.bin"],
    ["Raspberry Pi 4 Model B Rev 1.4", false, "start4.elf"],
    ["Raspberry Pi 400 Rev 1.0", false, "start4.elf"],
    ["Raspberry Pi Compute Module 4 Rev 1.0", false, "start4.elf"],
    ["Raspberry Pi Compute Module 4S Rev 1.0", false, "start4.elf"],
    ["Raspberry Pi 5 Model B Rev 1.0", false, "config.txt"],
    ["Raspberry Pi 500 Rev 1.0", false, "config.txt"],
    ["Raspberry Pi Compute Module 5 Rev 1.0", false, "config.txt"],
  ] as const)
    it(`knows the ${model}`, () => {
      const board = boardFirmwareOf(model);
      assert.equal(board.cardFirst, cardFirst);
      assert.ok(board.files.includes(file));
      const asksOn = file === "start.elf" ? "bootcode.bin" : undefined;
      assert.equal(board.asksOn, asksOn);
      const renamed = cardFirst && asksOn === undefined;
      assert.equal(board.files.includes("bootcode.bin"), renamed, "no more is renamed than the board needs");
    });

  for (const model of [
    "",
    "linux,dummy-virt",
    "Raspberry Pi 30 Model B",
    "Radxa ROCK Pi 4B",
    "Raspberry Pi Zero W Rev 1.1",
  ])
    it(`takes ${model === "" ? "a board without a name" : model} for one that may boot from any of the files`, () => {
      const board = boardFirmwareOf(model);
      assert.equal(board.cardFirst, false);
      for (const file of ["bootcode.bin", "start4.elf", "config.txt"]) assert.ok(board.files.includes(file));
    });
});
