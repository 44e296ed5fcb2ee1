// `npm run check`: the quick checks of the tree. Under a minute and a half on two cores.
import os from "node:os";
import process from "node:process";
import { execa } from "../proto/linux/leashed-execa.ts";
import { checkBreakingChanges, checkGeneratedCode, lintProtos } from "./check-proto.ts";
import { runTests } from "./run-tests.ts";
import { type Print, runSteps, type Step } from "./steps.ts";

/** Runs a program of our npm packages; where it fails, what it said is in the error. */
async function runTool(print: Print, program: string, args: readonly string[]): Promise<void> {
  const { all } = await execa(program, args, { preferLocal: true, localDir: ".", all: true });
  if (all !== "") print(`${all}\n`);
}

/** They wait for most of their time: for deadlines, watchdogs, ends of processes. */
const slowTests = [
  "test/contract/rpcs/*.test.ts",
  "test/unit/proto/linux/leashed-execa.test.ts",
  "test/unit/controller/rootfs/guard-watchdog.test.ts",
];

/** The steps of the quick check, side by side; `npm test` begins with them too. */
export const checkSteps: readonly Step[] = [
  { title: "generated code is fresh", run: checkGeneratedCode },
  { title: "contracts follow Buf's rules", run: lintProtos },
  {
    title: "contracts break no earlier version",
    run: async (print) => {
      const base = await checkBreakingChanges();
      print(base === undefined ? "no earlier version to compare with\n" : `compared with ${base.slice(0, 12)}\n`);
    },
  },
  {
    title: "format and lint",
    run: (print) => {
      const colors = process.stdout.isTTY ? "force" : "off";
      return runTool(print, "biome", ["ci", "--error-on-warnings", `--colors=${colors}`, "."]);
    },
  },
  {
    title: "types",
    run: (print) => runTool(print, "tsc", ["--project", ".", "--pretty", process.stdout.isTTY ? "true" : "false"]),
  },
  {
    title: "quick tests: units, architecture, contracts",
    // The files that take longest first, so that none is waited for at the end. Two more at once than there are cores:
    // many wait, for a time-out or a program's start.
    run: (print) =>
      runTests(
        [...slowTests, "test/contract/**/*.test.ts", "test/world/few-seeds.test.ts", "test/unit/**/*.test.ts"],
        { concurrency: os.availableParallelism() + 2, timeoutMs: 120_000 },
        print,
      ),
  },
];

if (import.meta.main) {
  const failed = await runSteps("check", [checkSteps]);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
