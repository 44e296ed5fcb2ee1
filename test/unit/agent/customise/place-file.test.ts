import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { placeFile } from "../../../../agent/customise/place-file.ts";

/** A root filesystem with /etc, beside a folder that nothing may be written to. */
async function foreignRoot(test: TestContext) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-root-"));
  test.after(() => rm(folder, { recursive: true }));
  const root = path.join(folder, "root");
  const outside = path.join(folder, "outside");
  await mkdir(path.join(root, "etc"), { recursive: true });
  await mkdir(outside);
  await writeFile(path.join(outside, "installed.json"), "ours");
  const place = (content = "new") => placeFile({ root, folders: ["etc", "pallet"], name: "installed.json", content });
  const file = path.join(root, "etc/pallet/installed.json");
  const assertUntouched = async () => {
    assert.deepEqual(await readdir(outside), ["installed.json"]);
    assert.equal(await readFile(path.join(outside, "installed.json"), "utf8"), "ours");
  };
  return { root, outside, place, file, assertUntouched };
}

describe("placeFile", () => {
  it("makes the folder and the file", async (test) => {
    const { place, file, root } = await foreignRoot(test);
    await place();
    assert.equal(await readFile(file, "utf8"), "new");
    assert.deepEqual(await readdir(path.join(root, "etc/pallet")), ["installed.json"]);
    assert.equal((await stat(file)).mode & 0o777, 0o644);
  });

  it("replaces an older file, and what a crash left behind", async (test) => {
    const { place, file } = await foreignRoot(test);
    await place("old");
    await writeFile(path.join(path.dirname(file), ".installed.json.pallet-new"), "half");
    await place();
    assert.equal(await readFile(file, "utf8"), "new");
    assert.deepEqual(await readdir(path.dirname(file)), ["installed.json"]);
  });

  for (const where of ["etc", "etc/pallet"]) {
    it(`refuses a symbolic link at /${where} and writes nothing where it points`, async (test) => {
      const { root, outside, place, assertUntouched } = await foreignRoot(test);
      await rm(path.join(root, where), { recursive: true, force: true });
      await mkdir(path.join(outside, "pallet"));
      await symlink(outside, path.join(root, where));
      await assert.rejects(place(), { reason: "invalid", message: /a symbolic link\?/ });
      assert.deepEqual(await readdir(path.join(outside, "pallet")), []);
      await rm(path.join(outside, "pallet"), { recursive: true });
      await assertUntouched();
    });
  }

  it("replaces a symbolic link at the file's name instead of following it", async (test) => {
    const { outside, place, file, assertUntouched } = await foreignRoot(test);
    await mkdir(path.dirname(file));
    await symlink(path.join(outside, "installed.json"), file);
    await place();
    assert.equal(await readFile(file, "utf8"), "new");
    await assertUntouched();
  });

  it("replaces symbolic and hard links at the temporary name", async (test) => {
    const { outside, place, file, assertUntouched } = await foreignRoot(test);
    const temporary = path.join(path.dirname(file), ".installed.json.pallet-new");
    await mkdir(path.dirname(file));
    await symlink(path.join(outside, "installed.json"), temporary);
    await place();
    await link(path.join(outside, "installed.json"), temporary);
    await place();
    assert.equal(await readFile(file, "utf8"), "new");
    await assertUntouched();
  });

  it("refuses a root without /etc, or with a file there", async (test) => {
    const { root, place } = await foreignRoot(test);
    await rm(path.join(root, "etc"), { recursive: true });
    await assert.rejects(place(), { reason: "invalid", message: /has no folder "etc"/ });
    await writeFile(path.join(root, "etc"), "");
    await assert.rejects(place(), { reason: "invalid", message: /other than a folder/ });
    assert.ok(existsSync(root));
  });

  it("leaves nothing behind when the file cannot be put in its place", async (test) => {
    const { place, file } = await foreignRoot(test);
    await mkdir(path.join(file, "occupied"), { recursive: true });
    await assert.rejects(place());
    assert.deepEqual(await readdir(path.dirname(file)), ["installed.json"]);
  });
});
