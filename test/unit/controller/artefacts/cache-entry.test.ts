// Several checkouts, versions and processes share one cache.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { cacheEntry } from "../../../../controller/artefacts/cache-entry.ts";
import { removeEntry, renewEntry } from "../../../../controller/artefacts/entry-uses.ts";

const modules = path.resolve(import.meta.dirname, "../../../../controller/artefacts");
const build = (folder: string) => writeFile(path.join(folder, "file"), "content");

/** Another process that asks for an entry and lives until its input ends. */
async function user(cache: string, name: string) {
  const program = `
    import { writeFile } from "node:fs/promises";
    import { cacheEntry } from ${JSON.stringify(path.join(modules, "cache-entry.ts"))};
    await cacheEntry(${JSON.stringify(cache)}, ${JSON.stringify(name)}, (folder) => writeFile(folder + "/file", "content"));
    process.stdout.write("has it");
    process.stdin.resume();
  `;
  const running = execa(process.execPath, ["--input-type=module", "--eval", program], { buffer: false, reject: false });
  await new Promise((resolve) => running.stdout.once("data", resolve));
  return { running };
}

/** Lets it be as if nobody had wanted it for so many days. */
async function age(cache: string, name: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * 86_400_000);
  await utimes(path.join(cache, name), then, then);
  if (existsSync(path.join(cache, `.${name}.use`))) await utimes(path.join(cache, `.${name}.use`), then, then);
}

/** Waits for a process that ended to have lost its locks: its holders see that by their standard input. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 20) {
    assert.ok(waited < 5_000, "in five seconds");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a cache that is shared", () => {
  let cache: string;
  before(async () => {
    cache = await mkdtemp(path.join(tmpdir(), "pallet-cache-"));
  });
  after(() => rm(cache, { recursive: true }));

  it("forgets what nobody used for long when something new is built, but nothing that a process has in use", async () => {
    const old = ["thing-1", "thing-2", "thing-3", "thing-4"];
    // Made by a version of Pallet that knew no uses.
    for (const name of [...old, "other-1"]) await mkdir(path.join(cache, name));
    const { running: another } = await user(cache, "thing-1");
    for (const [index, name] of [...old, "other-1"].entries()) await age(cache, name, 365 - index);

    await cacheEntry(cache, "thing-5", build);
    another.stdin.end();
    await another;
    const left = (await readdir(cache)).filter((name) => !name.startsWith("."));
    assert.deepEqual(left.toSorted(), ["other-1", "thing-1", "thing-3", "thing-4", "thing-5"]);
  });

  it("keeps what is in use until the process that uses it has ended, however that ends", async () => {
    const { running: another } = await user(cache, "held-1");
    assert.equal(await removeEntry(cache, "held-1"), false);
    await assert.rejects(
      renewEntry(cache, "held-1"),
      /held-1 is in use by another build or a running rack, .*try again/,
    );
    assert.ok(existsSync(path.join(cache, "held-1/file")));

    another.kill("SIGKILL");
    await another;
    await eventually(() => removeEntry(cache, "held-1"));
    assert.ok(!existsSync(path.join(cache, "held-1")));
    assert.ok(!existsSync(path.join(cache, ".held-1-forgot")));
  });

  it("builds again what was removed, over what a removal that was killed left", async () => {
    await mkdir(path.join(cache, ".half-1-forgot/rest"), { recursive: true });
    await cacheEntry(cache, "half-1", build);
    assert.ok(!existsSync(path.join(cache, ".half-1-forgot")));
    assert.ok(existsSync(path.join(cache, "half-1/file")));
  });

  it("says why an entry cannot be held", async () => {
    const file = path.join(cache, "no-folder");
    await writeFile(file, "");
    await assert.rejects(cacheEntry(file, "x-1", build), /no-folder|EEXIST|ENOTDIR/);
  });
});
