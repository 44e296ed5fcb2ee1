import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { clearUnfinished, withUnfinishedFolder } from "../../../../../controller/images/catalogue/unfinished-folder.ts";

describe("unfinished folders", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "pallet-unfinished-"));
  });
  after(() => rm(directory, { recursive: true }));

  it("are cleared when nobody fills them any more, and others stay", async () => {
    await mkdir(path.join(directory, ".unfinished-left"));
    await mkdir(path.join(directory, "finished"));
    await withUnfinishedFolder(directory, async (folder) => {
      assert.deepEqual(await clearUnfinished(directory), [folder]);
      assert.deepEqual((await readdir(directory)).toSorted(), [path.basename(folder), "finished"]);
    });
    assert.deepEqual(await readdir(directory), ["finished"]);
  });

  it("come and go while others are cleared, and nobody loses his", async () => {
    const fill = async (): Promise<void> => {
      for (let round = 0; round < 40; round += 1)
        await withUnfinishedFolder(directory, async (folder) => void (await stat(folder)));
    };
    const clear = async (): Promise<void> => {
      for (let round = 0; round < 80; round += 1) await clearUnfinished(directory);
    };
    await Promise.all([fill(), fill(), fill(), clear(), clear()]);
    assert.deepEqual(await readdir(directory), ["finished"]);
  });
});
