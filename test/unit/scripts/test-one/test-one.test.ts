import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { execa } from "execa";
import { selectTestFiles } from "../../../../scripts/test-one/select-test-files.ts";

const top = path.resolve(import.meta.dirname, "../../../..");

const files = [
  "test/contract/doors.test.ts",
  "test/rack/doors.test.ts",
  "test/rack/journey.test.ts",
  "test/unit/agent/disk/guard.test.ts",
  "test/unit/agent/disk/safeguard.test.ts",
  "test/unit/controller/nodes/node-name.test.ts",
];

describe("selectTestFiles", () => {
  for (const [wanted, found] of [
    ["test/rack/doors.test.ts", ["test/rack/doors.test.ts"]],
    ["./test/rack/doors.test.ts", ["test/rack/doors.test.ts"]],
    ["rack/doors", ["test/rack/doors.test.ts"]],
    ["agent/disk/guard.ts", ["test/unit/agent/disk/guard.test.ts"]],
    ["disk/guard", ["test/unit/agent/disk/guard.test.ts"]],
    ["journey", ["test/rack/journey.test.ts"]],
    ["guard", ["test/unit/agent/disk/guard.test.ts"]],
    ["safe", ["test/unit/agent/disk/safeguard.test.ts"]],
    ["doors", ["test/contract/doors.test.ts", "test/rack/doors.test.ts"]],
    ["agent/disk", ["test/unit/agent/disk/guard.test.ts", "test/unit/agent/disk/safeguard.test.ts"]],
    ["nothing", []],
    ["", []],
    [".ts", []],
  ] as const)
    it(`takes "${wanted}" for ${found.length === 0 ? "no file" : found.join(" and ")}`, () =>
      assert.deepEqual(selectTestFiles(files, wanted), found));
});

describe("test:one", () => {
  /** Without what would have Node take the inner run for a part of this one. */
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = (...args: string[]) =>
    execa(process.execPath, [path.join(top, "scripts/test-one/main.ts"), ...args], {
      cwd: top,
      env,
      extendEnv: false,
      reject: false,
    });
  const tested = "test/unit/agent/version.test.ts";

  it("runs the file, says which and what came out", async () => {
    const { exitCode, stdout } = await run("unit/agent/version");
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, new RegExp(`^test:one: ${tested}$`, "m"));
    assert.match(stdout, new RegExp(`^test:one: ${tested}: 2 passed, 0 failed, 0 skipped$`, "m"));
  });

  it("runs only tests with that title, and fails when there is none", async () => {
    assert.match(
      (await run(tested, "the agent has the version")).stdout,
      /titled like \/the agent has the version\/: 1 passed/,
    );
    const { exitCode, stderr } = await run(tested, "no such title");
    assert.equal(exitCode, 1);
    assert.equal(stderr, `test:one: no test of ${tested} has a title like /no such title/`);
  });

  it("lists the files that fit and runs none when there are several", async () => {
    const { exitCode, stdout, stderr } = await run("doors");
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^test:one: "doors" fits \d files; give more of the path:\n( {2}test\/.*doors\.test\.ts\n?)+$/,
    );
  });

  it("says that no file fits, and how to list them", async () => {
    const { exitCode, stdout, stderr } = await run("no-such-test");
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      'test:one: no test file has "no-such-test" in its path; list them: git ls-files "test/*.test.ts"',
    );
  });

  it("says what it wants when it gets nothing", async () => {
    const { exitCode, stderr } = await run();
    assert.equal(exitCode, 2);
    assert.match(stderr, /^test:one: give a test file/);
  });
});
