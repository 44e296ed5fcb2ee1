// .githooks/pre-commit in a small checkout of its own: this one's settings for format, lint and types, and a few files.
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";

const top = path.resolve(import.meta.dirname, "../..");

describe("the pre-commit hook, where people have opted in", () => {
  let folder: string;
  let checkout: string;
  const temporary = () => path.join(folder, "temporary");
  /** git as a person runs it: nothing of what started these tests says which repository or whose settings are meant. */
  const git = (...args: string[]) =>
    execa("git", args, {
      cwd: checkout,
      extendEnv: false,
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        TMPDIR: temporary(),
        GIT_CONFIG_NOSYSTEM: "1",
        ...Object.fromEntries(
          ["AUTHOR", "COMMITTER"].flatMap((who) => [
            [`GIT_${who}_NAME`, "a test"],
            [`GIT_${who}_EMAIL`, "a-test@example.invalid"],
          ]),
        ),
      },
      reject: false,
      all: true,
    });
  const write = (name: string, text: string) => writeFile(path.join(checkout, name), text);
  const commits = async () => Number((await git("rev-list", "--count", "HEAD")).stdout);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-hook-"));
    checkout = path.join(folder, "checkout");
    await mkdir(temporary());
    await mkdir(path.join(checkout, ".githooks"), { recursive: true });
    await mkdir(path.join(checkout, "test/unit"), { recursive: true });
    for (const name of [".biome.json", ".gitignore", ".githooks/pre-commit", "package.json", "tsconfig.json"])
      await copyFile(path.join(top, name), path.join(checkout, name));
    await symlink(path.join(top, "node_modules"), path.join(checkout, "node_modules"));
    await write("test/number.ts", "export const number: number = 1;\n");
    await write(
      "test/unit/architecture.test.ts",
      'import assert from "node:assert/strict";\nimport { number } from "../number.ts";\n\nassert.ok(number < 10, "a rule of this test");\n',
    );
    assert.equal((await git("init", "--quiet")).exitCode, 0);
    await git("config", "core.hooksPath", ".githooks");
    // .gitignore means a folder, and here it is a link.
    await write(".git/info/exclude", "node_modules\n");
    await git("add", "--all");
    const { exitCode, all } = await git("commit", "--quiet", "--message", "one");
    assert.equal(exitCode, 0, all);
  });
  after(() => rm(folder, { recursive: true }));

  it("lets a good commit pass, whatever is in the work tree and not staged, and leaves nothing behind", async () => {
    await write("test/number.ts", "export const number: number = 2;\n");
    await git("add", "test/number.ts");
    const unstaged = 'export  const number: number = "not staged";\n';
    await write("test/number.ts", unstaged);
    const { exitCode, all } = await git("commit", "--quiet", "--message", "two");
    assert.equal(exitCode, 0, all);
    assert.equal(all, "");
    assert.equal(await readFile(path.join(checkout, "test/number.ts"), "utf8"), unstaged);
    assert.equal((await git("show", "HEAD:test/number.ts")).stdout, "export const number: number = 2;");
    assert.deepEqual(await readdir(temporary()), []);
  });

  it("refuses what is staged and wrong, with all that is, also when the work tree is right, and mends nothing", async () => {
    const staged = 'export  const number: number = "20";\n';
    await write("test/number.ts", staged);
    await git("add", "test/number.ts");
    await write("test/number.ts", "export const number: number = 3;\n");
    const before = await commits();
    const { exitCode, all } = await git("commit", "--message", "three");
    assert.equal(exitCode, 1, all);
    assert.match(all, /^test\/number\.ts format /m);
    assert.match(all, /^test\/number\.ts\(1,\d+\): error TS2322/m);
    assert.match(all, /a rule of this test/);
    assert.match(all, /^pre-commit: refused: lint types architecture \(.*npm run format.*--no-verify\)$/m);
    assert.equal(await commits(), before);
    assert.equal((await git("show", ":test/number.ts")).stdout, staged.trimEnd());
    assert.equal(await readFile(path.join(checkout, "test/number.ts"), "utf8"), "export const number: number = 3;\n");
    assert.deepEqual(await readdir(temporary()), []);
  });

  it("says what is missing where there are no npm packages", async () => {
    await rm(path.join(checkout, "node_modules"));
    const { exitCode, all } = await git("commit", "--message", "four");
    assert.equal(exitCode, 1);
    assert.equal(all, "pre-commit: the npm packages are missing; bring them: sh scripts/setup npm");
  });
});
