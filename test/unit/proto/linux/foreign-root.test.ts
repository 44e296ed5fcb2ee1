import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { readInside, readTextInside, resolveInside } from "../../../../proto/linux/foreign-root.ts";

describe("a foreign root filesystem", () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), "pallet-root-"));
    await mkdir(path.join(root, "usr/lib/systemd"), { recursive: true });
    await mkdir(path.join(root, "usr/sbin"));
    await writeFile(path.join(root, "usr/lib/systemd/systemd"), "init");
    for (const [target, name] of [
      ["usr/lib", "lib"],
      ["usr/sbin", "sbin"],
      ["../lib/systemd/systemd", "usr/sbin/init"],
      ["/usr/lib/systemd/systemd", "absolute"],
      ["../../../../../../etc/passwd", "outside"],
      ["/etc/passwd", "absolute-outside"],
      ["one", "two"],
      ["two", "one"],
      ["nowhere", "dangling"],
    ] as const)
      await symlink(target, path.join(root, name));
    await execa("mkfifo", [path.join(root, "fifo")]);
  });
  after(() => rm(root, { recursive: true }));

  for (const [asked, found] of [
    ["/sbin/init", "/usr/lib/systemd/systemd"],
    ["/absolute", "/usr/lib/systemd/systemd"],
    ["/lib/.././sbin", "/usr/sbin"],
    ["/../../usr", "/usr"],
    ["/", "/"],
    ["/outside", undefined],
    ["/absolute-outside", undefined],
    ["/one", undefined],
    ["/dangling", undefined],
    ["/usr/lib/systemd/systemd/below", undefined],
  ] as const) {
    it(`leads from ${asked} to ${found ?? "nothing"}`, async () => {
      assert.equal(await resolveInside(root, asked), found);
    });
  }

  it("gives the bytes of files, and of nothing else", async () => {
    assert.equal(String(await readInside(root, "/sbin/init", 100)), "init");
    assert.equal(String(await readInside(root, "/sbin/init", 2)), "in");
    for (const other of ["/usr", "/fifo", "/outside", "/nothing"])
      assert.equal(await readInside(root, other, 100), undefined, other);
  });

  it("gives no more text than it was asked for", async () => {
    assert.equal(await readTextInside(root, "/sbin/init", 4), "init");
    await assert.rejects(readTextInside(root, "/sbin/init", 3), { reason: "invalid" });
  });
});
