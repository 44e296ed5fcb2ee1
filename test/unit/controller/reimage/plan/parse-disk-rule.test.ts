import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiskRule } from "../../../../../controller/reimage/plan/parse-disk-rule.ts";
import { disk } from "../fakes/fake-disk.ts";

const stick = disk({
  path: "/dev/sda",
  name: "sda",
  transport: "usb",
  serial: " A1 ",
  model: "Fast, I",
  sizeBytes: 64e9,
});

for (const [rule, holds] of [
  ["usb", true],
  ["sd", false],
  ["nvme", false],
  ["serial=A1", true],
  ["serial=A", false],
  ["usb,serial=A1", true],
  ["usb, nvme", false],
  ["size>63.9GB", true],
  ["size>64GB", false],
  ["size<64 GB", false],
  ["size<59.7GiB,size>1GB", true],
] as const)
  test(`a stick of 64 GB is ${holds ? "" : "not "}"${rule}"`, () => {
    assert.equal(parseDiskRule(rule)?.(stick), holds);
  });

for (const text of ["", "/dev/sda", "sda", "SD", "usb,", ",usb", "serial=", "serial>A", "size=64GB", "size>64", "size>", "toString", "model= "]) // biome-ignore format: one line
  test(`"${text}" is no rule`, () => {
    assert.equal(parseDiskRule(text), undefined);
  });
