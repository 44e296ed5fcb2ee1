import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findReturned, planRenamings } from "../../../../agent/customise/firmware-files.ts";

describe("planRenamings", () => {
  for (const [title, names, files, expected] of [
    ["a boot ROM's file", ["bootcode.bin", "config.txt"], ["bootcode.bin"], ["bootcode.bin → bootcode.off"]],
    ["a file in upper case", ["BOOTCODE.BIN"], ["bootcode.bin"], ["BOOTCODE.BIN → bootcode.off"]],
    [
      "several files",
      ["start4.elf", "start4x.elf"],
      ["start4x.elf", "start4.elf"],
      ["start4.elf → start4.off", "start4x.elf → start4x.off"],
    ],
    [
      "a file that an upgrade put back",
      ["bootcode.off", "bootcode.bin"],
      ["bootcode.bin"],
      ["bootcode.bin → bootcode.off"],
    ],
    ["a file without an extension", ["KERNEL"], ["kernel"], ["KERNEL → kernel.off"]],
    ["a file with two extensions", ["a.b.c"], ["a.b.c"], ["a.b.c → a.b.off"]],
    ["nothing that is not named whole", ["bootcode.bin.old", "xbootcode.bin"], ["bootcode.bin"], []],
    ["nothing the second time", ["bootcode.off"], ["bootcode.bin"], []],
    ["nothing in an empty folder", [], ["bootcode.bin"], []],
  ] as const)
    it(`renames ${title}`, () => {
      assert.deepEqual(
        planRenamings(names, files).map(({ from, to }) => `${from} → ${to}`),
        expected,
      );
    });
});

describe("findReturned", () => {
  for (const [title, names, expected] of [
    ["a file beside its renamed self", ["bootcode.off", "bootcode.bin", "start.elf"], ["bootcode.bin"]],
    [
      "several, whatever their case",
      ["START4.OFF", "start4.elf", "config.off", "CONFIG.TXT"],
      ["start4.elf", "CONFIG.TXT"],
    ],
    ["nothing where nothing was renamed", ["bootcode.bin", "start.elf"], []],
    ["nothing where bootcode.bin alone was kept, to ask the network", ["bootcode.bin", "start.off", "config.off"], []],
    ["nothing where all is still renamed", ["bootcode.off", "start.elf"], []],
    ["nothing of what is no firmware", ["bootcode.off", "bootcode.dat", "bootcode"], []],
  ] as const)
    it(`finds ${title}`, () => assert.deepEqual(findReturned(names), expected));
});
