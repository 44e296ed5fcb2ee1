// `npm run check`: everything that is quick to know about the tree. Under two minutes.
import process from "node:process";
import { execa } from "../proto/linux/leashed-execa.ts";
import { checkBreakingChanges, checkGeneratedCode, lintProtos } from "./check-proto.ts";
import { runTests } from "./run-tests.ts";
import { runSteps, type Step } from "./steps.ts";

const local = { preferLocal: true, localDir: ".", stdio: "inherit" } as const;

/** The steps of the quick check; `npm test` begins with them too. */
export const checkSteps: readonly Step[] = [
  { title: "generated code is fresh", run: checkGeneratedCode },
  { title: "contracts keep Buf's rules", run: lintProtos },
  {
    title: "contracts break no earlier version",
    run: async () => {
      const base = await checkBreakingChanges();
      process.stdout.write(
        base === undefined ? "no earlier version to compare with\n" : `compared with ${base.slice(0, 12)}\n`,
      );
    },
  },
  {
    title: "format and lint",
    run: async () => {
      const colors = process.stdout.isTTY ? "force" : "off";
      await execa("biome", ["ci", "--error-on-warnings", `--colors=${colors}`, "."], local);
    },
  },
  {
    title: "types",
    run: async () => {
      await execa("tsc", ["--project", "."], local);
    },
  },
  {
    title: "quick tests: units, architecture, contracts",
    run: () =>
      runTests(["test/unit/**/*.test.ts", "test/contract/**/*.test.ts"], { concurrency: 2, timeoutMs: 120_000 }),
  },
];

if (import.meta.main) await runSteps("check", checkSteps);
