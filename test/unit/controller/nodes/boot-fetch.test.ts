import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { printablePath } from "../../../../controller/nodes/boot-fetch.ts";

describe("boot fetch", () => {
  it("makes any path fit for a terminal", () => {
    assert.equal(printablePath("pxelinux.cfg/01-b8"), "pxelinux.cfg/01-b8");
    assert.equal(printablePath("a\n\u001b[2Jb\u00fc"), "a??[2Jb?");
    assert.equal(printablePath("x".repeat(500)).length, 200);
  });
});
