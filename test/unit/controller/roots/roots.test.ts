// A store of root filesystems on a real disk, changed by processes that are killed, meet, and find the disk full.
import assert from "node:assert/strict";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { changeRoots } from "../../../../controller/roots/change-roots.ts";
import { locateRoots, type Root, readCurrentRoot, readRoots } from "../../../../controller/roots/read-roots.ts";
import { flatRoot } from "../../../../controller/roots/root-id.ts";
import { requires } from "../../../requirements.ts";

describe("a store of root filesystems", () => {
  let folder: string;
  let store: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-roots-"));
    store = path.join(folder, "rootfs");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fill = async (version: string, name: string): Promise<void> => {
    await mkdir(path.join(version, "root/etc"), { recursive: true });
    await writeFile(path.join(version, "root/etc/hostname"), name);
    await writeFile(path.join(version, "manifest.json"), JSON.stringify({ madeBy: "rootfs build", key: name }));
  };
  const add = (name: string): Promise<Root> =>
    changeRoots(store, async (roots) => {
      const made = await roots.add(({ version }) => fill(version, name));
      await roots.use(made.id);
      return made;
    });
  const hostnameOf = (root: Root | undefined): Promise<string> =>
    readFile(path.join(root?.rootFolder ?? "/nowhere", "etc/hostname"), "utf8");
  const versions = (): Promise<string[]> => readdir(path.join(store, "versions"));

  it("gives new boots the newest, and keeps the one before as it is", async () => {
    const first = await add("one");
    const second = await add("two");
    assert.equal(await hostnameOf(await readCurrentRoot(store)), "two");
    assert.equal(await hostnameOf(first), "one");
    assert.deepEqual((await readRoots(store)).map(({ id }) => id).toSorted(), [first.id, second.id].toSorted());
  });

  it("removes one that is not for new boots, and refuses the one that is", async () => {
    const first = await add("one");
    const second = await add("two");
    await assert.rejects(
      changeRoots(store, (roots) => roots.remove(second.id)),
      { reason: "in-use" },
    );
    await changeRoots(store, (roots) => roots.remove(first.id));
    assert.deepEqual(await versions(), [second.id]);
  });

  it("is as it was when making one fails, and is not there when it was not there before", async () => {
    const failing = () => changeRoots(store, (roots) => roots.add(() => Promise.reject(new Error("no"))));
    await assert.rejects(failing(), /no/);
    await assert.rejects(lstat(store), { code: "ENOENT" });
    const first = await add("one");
    await assert.rejects(failing(), /no/);
    assert.deepEqual(await versions(), [first.id]);
  });

  it("is for one process at a time: a second is told so, and changes nothing", async () => {
    await changeRoots(store, async () => {
      await assert.rejects(
        changeRoots(store, async () => assert.fail("the second one got in")),
        { reason: "in-use", message: /another process is changing .*wait until that/ },
      );
    });
  });

  /** A process that does this to the store and waits; resolves when it is in the midst of it. */
  const inTheMidst = async (body: string) => {
    const module = new URL("../../../../controller/roots/change-roots.ts", import.meta.url).href;
    const source = `const { mkdir, writeFile } = await import("node:fs/promises");
      const { changeRoots } = await import(${JSON.stringify(module)});
      const wait = () => { console.log("there"); return new Promise(() => setInterval(() => {}, 1000)); };
      await changeRoots(${JSON.stringify(store)}, async (roots) => { ${body} });`;
    const child = execa(process.execPath, ["--input-type=module", "-e", source], { reject: false, buffer: false });
    await once(child.stdout, "data");
    return { child };
  };
  const half = `await mkdir(version + "/root/etc", { recursive: true }); await writeFile(version + "/manifest.json", "{}");`;
  for (const [instant, body] of [
    ["in the middle of a version", `await roots.add(async ({ version }) => { ${half} await wait(); });`],
    ["between a version and its use", `await roots.add(async ({ version }) => { ${half} }); await wait();`],
  ] as const)
    it(`is whole when its process is killed ${instant}, and the next one clears up`, async () => {
      const first = await add("one");
      const { child } = await inTheMidst(body);
      child.kill("SIGKILL");
      await child;
      const current = await readCurrentRoot(store);
      assert.deepEqual([current?.id, await hostnameOf(current)], [first.id, "one"]);
      const second = await add("two");
      assert.equal((await readCurrentRoot(store))?.id, second.id);
      assert.deepEqual(
        (await versions()).filter((name) => name.startsWith(".")),
        [],
      );
    });

  it("is whole when the disk is full, and says so", requires("root"), async () => {
    await mkdir(store);
    await execa("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", store]);
    try {
      const first = await add("one");
      const tooMuch = changeRoots(store, (roots) =>
        roots.add(async ({ version }) => {
          await execa("dd", ["if=/dev/zero", `of=${version}/vmlinuz`, "bs=1M", "count=4"]);
        }),
      );
      await assert.rejects(tooMuch, { reason: "device-error", message: /no space left .*controller rootfs list/ });
      assert.equal(await hostnameOf(await readCurrentRoot(store)), "one");
      assert.deepEqual(await versions(), [first.id]);
    } finally {
      await execa("umount", [store]);
    }
  });

  it("serves what an older Pallet built at its top until another is made, and then keeps it for its nodes", async () => {
    await mkdir(store);
    await fill(store, "older");
    assert.deepEqual(await locateRoots(store), { kind: "store", store });
    // As an older configuration names it.
    assert.deepEqual(await locateRoots(path.join(store, "root")), { kind: "store", store });
    assert.deepEqual([(await readCurrentRoot(store))?.id], [flatRoot]);
    const next = await add("next");
    assert.equal((await readCurrentRoot(store))?.id, next.id);
    assert.equal(await readFile(path.join(store, "root/etc/hostname"), "utf8"), "older");
    await changeRoots(store, (roots) => roots.remove(flatRoot));
    assert.deepEqual((await readdir(store)).toSorted(), ["current", "versions"]);
    assert.equal(await hostnameOf(await readCurrentRoot(store)), "next");
  });

  it("counts nothing that is not complete, nor a link that leads elsewhere", async () => {
    const first = await add("one");
    const second = await add("two");
    await rm(path.join(second.folder, "manifest.json"));
    assert.equal(await readCurrentRoot(store), undefined);
    assert.deepEqual(
      (await readRoots(store)).map(({ id }) => id),
      [first.id],
    );
    await rename(first.folder, path.join(folder, "elsewhere"));
    await rm(path.join(store, "current"));
    await symlink("../elsewhere", path.join(store, "current"));
    assert.equal(await readCurrentRoot(store), undefined);
  });

  it("is told from a root filesystem of the operator's own", async () => {
    assert.deepEqual(await locateRoots(store), { kind: "missing" });
    await mkdir(store);
    assert.deepEqual(await locateRoots(store), { kind: "missing" });
    await mkdir(path.join(store, "root/sbin"), { recursive: true });
    assert.deepEqual(await locateRoots(store), { kind: "plain", rootFolder: path.join(store, "root") });
    await mkdir(path.join(store, "etc"));
    assert.deepEqual(await locateRoots(store), { kind: "plain", rootFolder: store });
  });
});
