// pallet.tmpfiles over a state that a controller left which ran as root, and over what a user who was taken over could have put there.
import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { checkout } from "../../../programs/checkout.ts";
import { requires } from "../../../requirements.ts";

const [pallet, other] = [777, 42];
const state = "var/lib/pallet";

describe("the controller's folders", requires("root", "systemd-analyze"), () => {
  let root: string;
  const at = (file: string): string => path.join(root, file);
  const write = async (file: string, owner = 0): Promise<void> => {
    await mkdir(path.dirname(at(file)), { recursive: true });
    await writeFile(at(file), "", { mode: 0o600 });
    await chown(at(file), owner, owner);
  };
  const create = () =>
    execa("systemd-tmpfiles", [
      ...["--create", `--root=${root}`, path.join(checkout, "controller/setup/files/pallet.tmpfiles")],
    ]);
  const ownerOf = async (file: string): Promise<number> => (await lstat(at(file))).uid;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "pallet-state-"));
    await mkdir(at("etc"));
    await writeFile(at("etc/passwd"), `root:x:0:0::/:/bin/sh\npallet:x:${pallet}:${pallet}::/:/bin/sh\n`);
    await writeFile(at("etc/group"), `root:x:0:\npallet:x:${pallet}:\n`);
    await write("etc/shadow");
    await write("srv/of-root");
    for (const file of ["identity/token.key", "images/debian/pack", "pallet.sqlite", "pallet.sqlite-wal", "time"])
      await write(`${state}/${file}`);
    for (const file of ["setup.json", "boot/start4.elf", "rootfs/versions/a/root/etc/shadow"])
      await write(`${state}/${file}`);
    await chown(at(`${state}/rootfs/versions/a/root/etc/shadow`), 0, other);
    await chmod(at(state), 0o700);
  });
  afterEach(() => rm(root, { recursive: true }));

  it("become its user's after a controller that was root, and what nodes boot stays root's", async () => {
    await create();
    for (const file of [
      ...["identity", "identity/token.key", "images", "images/debian/pack"],
      ...["pallet.sqlite", "pallet.sqlite-wal", "time"],
    ])
      assert.equal(await ownerOf(`${state}/${file}`), pallet, file);
    for (const file of ["setup.json", "boot/start4.elf", "rootfs", "rootfs/versions/a/root/etc/shadow"])
      assert.equal(await ownerOf(`${state}/${file}`), 0, file);
    assert.equal((await lstat(at(`${state}/rootfs/versions/a/root/etc/shadow`))).gid, other);
    const { mode, uid, gid } = await lstat(at(state));
    assert.deepEqual([mode & 0o7777, uid, gid], [0o1770, 0, pallet]);
  });

  it("lead to nobody else's files by links that it left there", async () => {
    await symlink("../../../etc/shadow", at(`${state}/pallet.sqlite-evil`));
    await symlink("../../../srv", at(`${state}/replaced-evil`));
    await symlink("../../../../srv", at(`${state}/images/evil`));
    await rm(at(`${state}/identity`), { recursive: true });
    await symlink("../../../srv", at(`${state}/identity`));
    // It may complain of such a thing, and does the rest.
    await create().catch(() => undefined);
    for (const file of ["etc/shadow", "srv", "srv/of-root"]) assert.equal(await ownerOf(file), 0, file);
    assert.equal(await ownerOf(`${state}/images/debian/pack`), pallet);
  });
});
