import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { printablePath, serialInPath } from "../../../../controller/nodes/boot-fetch.ts";

describe("boot fetch", () => {
  it("makes any path fit for a terminal", () => {
    assert.equal(printablePath("pxelinux.cfg/01-b8"), "pxelinux.cfg/01-b8");
    assert.equal(printablePath("a\n\u001b[2Jb\u00fc"), "a??[2Jb?");
    assert.equal(printablePath("x".repeat(500)).length, 200);
  });

  for (const [path, serial] of [
    ["5e1fABCD/start4.elf", "5e1fabcd"],
    ["/5e1fabcd/config.txt", "5e1fabcd"],
    ["bootcode.bin", undefined],
    ["agent/vmlinuz", undefined],
    ["5e1fabcd", undefined],
    ["5e1fabcd0/x", undefined],
  ] as const) {
    it(`finds ${serial ?? "no serial number"} in ${path}`, () => assert.equal(serialInPath(path), serial));
  }
});
