import { globSync } from "node:fs";
import process from "node:process";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** What came out of a run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  /** What was skipped, with the reason. */
  readonly skipped: readonly string[];
}

export interface RunOptions {
  /** How many files at once. */
  readonly concurrency: number;
  /** A file that takes longer has failed. */
  readonly timeoutMs: number;
}

/**
 * As runTestFiles, and throws when a test failed, when the patterns matched no test at all, and, in CI, when a test was
 * skipped: there a missing part is a defect of the set-up.
 */
export async function runTests(globPatterns: readonly string[], options: RunOptions): Promise<void> {
  const { passed, failed, skipped } = await runTestFiles(globPatterns, options);
  if (failed > 0) throw new Error(`${failed} tests failed`);
  if (passed === 0) throw new Error(`no test was run by ${globPatterns.join(" ")}`);
  if (skipped.length > 0 && process.env["CI"] === "true") {
    throw new Error(`${skipped.length} tests were skipped, and in CI none may be`);
  }
}

/** Runs test files by Node's own runner, those of an earlier pattern first, and prints its report. */
export async function runTestFiles(
  globPatterns: readonly string[],
  { concurrency, timeoutMs }: RunOptions,
): Promise<TestCounts> {
  const skipped: string[] = [];
  let passed = 0;
  let failed = 0;
  const files = new Set(globPatterns.flatMap((pattern) => globSync(pattern).toSorted()));
  const events = run({ files: [...files], concurrency, timeout: timeoutMs, cwd: process.cwd() });
  events.on("test:pass", (test) => {
    if (test.skip !== undefined && test.skip !== false) {
      skipped.push(`${test.name} (${test.skip === true ? "no reason given" : test.skip})`);
    } else if (test.details.type !== "suite") {
      passed += 1;
    }
  });
  events.on("test:fail", () => {
    failed += 1;
  });
  const report = events.compose(spec);
  report.pipe(process.stdout, { end: false });
  await finished(report);

  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
  return { passed, failed, skipped };
}
