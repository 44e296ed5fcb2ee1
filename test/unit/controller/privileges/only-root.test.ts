// Who could say what is at a path: nothing that root acts on is anybody else's to choose.
import assert from "node:assert/strict";
import { chmod, chown, lchown, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { assertOnlyRootDecides } from "../../../../controller/privileges/only-root.ts";
import { requires } from "../../../requirements.ts";

const somebody = 65_534;

describe("a path that only root decides on", requires("root"), () => {
  let top: string;
  let store: string;
  beforeEach(async () => {
    // In a folder that is sticky, as the controller's state folder is.
    top = await mkdtemp(path.join(tmpdir(), "pallet-only-root-"));
    await chmod(top, 0o1777);
    store = path.join(top, "rootfs");
    await mkdir(path.join(store, "versions"), { recursive: true, mode: 0o755 });
  });
  afterEach(() => rm(top, { recursive: true }));
  const check = (place = store): Promise<void> => assertOnlyRootDecides(place, "nfs.rootfs");

  it("is one of root's in a sticky folder, and what a link of root's leads to", async () => {
    await check();
    await check(path.join(store, "versions"));
    await symlink("rootfs", path.join(top, "link"));
    await check(path.join(top, "link/versions"));
  });

  for (const [what, spoil, why] of [
    ["belongs to somebody", () => chown(store, somebody, 0), /belongs to user 65534: chown root /],
    ["may be written to by a group", () => chmod(store, 0o775), /written to by others than root: chmod go-w /],
    ["is in a folder that others change", () => chmod(top, 0o777), /written to by others than root: chmod go-w /],
    ["is in somebody's folder", () => chown(top, somebody, 0), /belongs to user 65534/],
  ] as const)
    it(`is not one that ${what}`, async () => {
      await spoil();
      await assert.rejects(check(path.join(store, "versions")), why);
    });

  it("is not where somebody's link leads, however good that place is", async () => {
    const link = path.join(top, "theirs");
    await symlink(store, link);
    await lchown(link, somebody, somebody);
    await assert.rejects(check(link), /belongs to user 65534/);
  });

  it("is not where a link of root's leads through a folder of somebody's", async () => {
    const theirs = path.join(top, "theirs");
    await mkdir(theirs);
    await symlink(store, path.join(theirs, "next"));
    await chown(theirs, somebody, somebody);
    const link = path.join(top, "link");
    await symlink(path.join(theirs, "next"), link);
    await assert.rejects(check(link), /theirs belongs to user 65534/);
  });

  it("has to be there", async () => {
    await assert.rejects(check(path.join(top, "nothing")), { code: "ENOENT" });
  });
});
