// The root filesystem that nodes netboot into has every tool that the agent runs: in a package of its own, or of busybox.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { applets, packages } from "../../../../controller/rootfs/packages.ts";
import { debianPackage, type Need } from "../../../../proto/linux/debian-package.ts";

const agent = path.resolve(import.meta.dirname, "../../../../agent");
const names = (await readdir(agent, { recursive: true })).filter((name) => name.endsWith(".ts"));
const texts = await Promise.all(names.map((name) => readFile(path.join(agent, name), "utf8")));
const tools = new Set(
  texts.flatMap((text) => [...text.matchAll(/\b(?:tool: |run\()"([\w.-]+)"/g)].map(([, tool]) => tool)),
);

describe("the tools of the agent", () => {
  it("are found in its source", () => {
    for (const tool of ["lsblk", "mkfs.vfat", "mren", "swapoff", "umount", "partx"]) assert.ok(tools.has(tool), tool);
  });

  for (const tool of tools) {
    it(`hold ${tool}, which is in the root filesystem`, () => {
      if (tool === undefined || applets.split(" ").includes(tool)) return;
      const name = debianPackage(tool as Need);
      assert.ok(Object.hasOwn(packages, name), name);
    });
  }
});
