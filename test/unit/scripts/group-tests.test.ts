import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { groupTests, isSociable } from "../../../scripts/group-tests.ts";

describe("test files that share a process", () => {
  const pure = 'import assert from "node:assert/strict";\nimport { it } from "node:test";\n';
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["pure code", pure, true],
    ["files", `${pure}import { readFile } from "node:fs/promises";`, true],
    ["the process itself", `${pure}process.env["A"] = "b";`, false],
    ["programs", `${pure}import { execa } from "execa";`, false],
    ["sockets", `${pure}import { connect } from "node:net";`, false],
    ["mocks", `${pure}mock.timers.enable();`, false],
    ["a controller", `${pure}import { startController } from "../a-controller.ts";`, false],
  ];
  for (const [title, text, expected] of cases)
    it(`are ${expected ? "those" : "not those"} with ${title}`, () => assert.equal(isSociable(text), expected));

  it("are dealt out in groups, behind those that are alone, and none is lost", () => {
    const files = Array.from({ length: 9 }, (_, at) => ({
      path: `${at}`,
      text: at % 4 === 0 ? "process.exit()" : pure,
    }));
    assert.deepEqual(groupTests(files, 4), {
      alone: ["0", "4", "8"],
      groups: [
        ["1", "3", "6"],
        ["2", "5", "7"],
      ],
    });
    assert.deepEqual(groupTests([], 4), { alone: [], groups: [] });
  });

  it("are counted one by one, and one that fails is told with its own file and keeps none from running", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "pallet-grouped-"));
    try {
      for (const [name, body] of [
        ["a", "assert.equal(1, 2)"],
        ["b", "assert.equal(1, 1)"],
      ] as const)
        await writeFile(path.join(folder, `${name}.test.mts`), `${pure}it("${name} holds", () => ${body});\n`);
      const runner = pathToFileURL(path.resolve("scripts/run-tests.ts")).href;
      const program = `
        import { runTestFiles } from ${JSON.stringify(runner)};
        const options = { concurrency: 1, timeoutMs: 60_000, mostInOne: 2 };
        const { passed, failed } = await runTestFiles([${JSON.stringify(`${folder}/*.test.mts`)}], options);
        console.log("counted", passed, failed);`;
      // Node's runner does not run inside of a test of its own.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const main = path.join(folder, "main.mjs");
      await writeFile(main, program);
      const { stdout } = await execa(process.execPath, [main], { env, extendEnv: false });
      assert.match(stdout, /failed: \S*pallet-grouped-\w+\/a\.test\.mts: a holds/);
      assert.match(stdout, /✔ b holds/);
      assert.match(stdout, /counted 1 [12]$/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
