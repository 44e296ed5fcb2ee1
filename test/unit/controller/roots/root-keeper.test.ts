// What becomes of versions that nobody uses any more, on a real disk and in a time of its own.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { changeRoots } from "../../../../controller/roots/change-roots.ts";
import { type RootUser, rootGraceMs } from "../../../../controller/roots/judge-roots.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";
import { createRootKeeper } from "../../../../controller/roots/root-keeper.ts";

describe("versions of the root filesystem that nobody uses", () => {
  let folder: string;
  let store: string;
  let now: number;
  let users: RootUser[];
  let ids: readonly RootId[];

  const add = (): Promise<RootId> =>
    changeRoots(store, async (roots) => {
      const { id } = await roots.add(async ({ version }) => {
        await mkdir(path.join(version, "root"));
        await writeFile(path.join(version, "manifest.json"), '{"agent": {"sizeBytes": 1, "digest": "0"}}');
      });
      await roots.use(id);
      return id;
    });
  const keep = () =>
    createRootKeeper({
      rootfs: store,
      removeRoots: changeRoots,
      users: () => users,
      clock: { now: () => now },
      monotonic: { now: () => now },
    });
  const user = (uses: Partial<RootUser>): RootUser => ({
    ...{ name: "node-1", isOnline: false, told: [], isUnknown: false },
    ...uses,
  });
  const versions = () => readdir(path.join(store, "versions"));

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-keeper-"));
    store = path.join(folder, "rootfs");
    // Versions that are made in one second have no order that their names tell.
    const made = [await add(), await add(), await add()];
    const current = made[2] as RootId;
    const others = made.filter((id) => id !== current).toSorted();
    ids = [...others, current];
    users = [];
    now = Date.now();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("go an hour after the last switch, but the one before stays; and what a killed builder has left goes too", async () => {
    const keeper = keep();
    assert.deepEqual(await keeper.collect(), []);
    await mkdir(path.join(store, "versions/.making-killed/version"), { recursive: true });
    now += rootGraceMs + 60_000;
    const before = (await keeper.list()).filter(({ state }) => state === "removable").map(({ root }) => root.id);
    assert.equal(before.length, 1);
    assert.deepEqual(await keeper.collect(), before);
    assert.deepEqual((await versions()).toSorted(), ids.filter((id) => id !== before[0]).toSorted());
  });

  it("stay for an hour after the controller's start: it does not know who was booting", async () => {
    now += rootGraceMs + 60_000;
    const keeper = keep();
    now += rootGraceMs - 1;
    assert.deepEqual(await keeper.collect(), []);
  });

  it("stay while a node that is not heard may still run from them, until it is gone or force is used", async () => {
    const keeper = keep();
    now += 2 * rootGraceMs;
    users = ids.map((id) => user({ running: id }));
    assert.deepEqual(await keeper.collect(), []);
    const [oldest = ""] = ids;
    await assert.rejects(
      keeper.remove(oldest, { force: false }),
      /node-1, not heard now, may still run from .*--force/,
    );
    await keeper.remove(oldest, { force: true });
    assert.ok(!(await versions()).includes(oldest));
  });

  it("wait for a builder that is at work", async () => {
    const keeper = keep();
    now += 2 * rootGraceMs;
    await changeRoots(store, async () => assert.deepEqual(await keeper.collect(), []));
    assert.equal((await keeper.collect()).length, 1);
  });

  it("are none where a root filesystem of the operator's own is exported, or nothing", async () => {
    await mkdir(path.join(folder, "own/etc"), { recursive: true });
    for (const rootfs of [path.join(folder, "own"), path.join(folder, "nothing"), undefined]) {
      const keeper = createRootKeeper({
        rootfs,
        removeRoots: changeRoots,
        users: () => [],
        clock: { now: () => now },
        monotonic: { now: () => now },
      });
      assert.deepEqual([await keeper.list(), await keeper.collect()], [[], []]);
    }
  });
});
