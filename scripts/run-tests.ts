import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { checkoutCache } from "../controller/artefacts/checkout-cache.ts";
import { groupTests, renderGroup } from "./group-tests.ts";
import type { Print } from "./steps.ts";

/** The result of a run. */
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
  /** Only tests whose titles match this regular expression; all of them unless given. */
  readonly pattern?: string;
  /** How many files that need no process of their own share one (scripts/group-tests.ts); each has its own unless given. */
  readonly mostInOne?: number;
  /** Files that are left out; each has to be one that the patterns match, or the list has gone stale. */
  readonly without?: readonly string[];
}

/**
 * As runTestFiles, and throws when a test failed, when the patterns matched no test at all, and, in CI, when a test was
 * skipped: there a missing part is a bug of the set-up.
 */
export async function runTests(globPatterns: readonly string[], options: RunOptions, print?: Print): Promise<void> {
  const { passed, failed, skipped } = await runTestFiles(globPatterns, options, print);
  if (failed > 0) throw new Error(`${failed} tests failed`);
  if (passed === 0) throw new Error(`no test matched ${globPatterns.join(" ")}`);
  if (skipped.length > 0 && process.env["CI"] === "true") {
    throw new Error(`${skipped.length} tests were skipped, which is not allowed in CI`);
  }
}

const longestShown = 20;

/**
 * Runs test files by Node's own runner, those of an earlier pattern first, and prints its report. Each file is a
 * process, and most of its start is making JavaScript of the same modules; what one has made, the others take from a
 * cache.
 */
export async function runTestFiles(
  globPatterns: readonly string[],
  { concurrency, timeoutMs, pattern, mostInOne, without = [] }: RunOptions,
  print: Print = (text) => process.stdout.write(text),
): Promise<TestCounts> {
  process.env["NODE_COMPILE_CACHE"] ??= checkoutCache("compiled-modules");
  const skipped: string[] = [];
  let passed = 0;
  let failed = 0;
  const files = new Set(globPatterns.flatMap((pattern) => globSync(pattern).toSorted()));
  for (const file of without) {
    if (!files.delete(file)) throw new Error(`${file} is to be left out, but no such test was to run`);
  }
  const grouped = mostInOne === undefined ? undefined : writeGroups([...files], mostInOne);
  const times = keepTimes();
  const events = run({
    files: [...(grouped?.files ?? files)],
    concurrency,
    timeout: timeoutMs,
    cwd: process.cwd(),
    execArgv: ["--import", times.tellsThem],
    ...(pattern !== undefined && { testNamePatterns: pattern }),
  });
  events.on("test:pass", (test) => {
    if (test.skip !== undefined && test.skip !== false) {
      skipped.push(`${test.name} (${test.skip === true ? "no reason given" : test.skip})`);
    } else if (test.details.type !== "suite" && test.name !== test.file) {
      // Of a file that ran no test, Node says that the file itself has passed.
      passed += 1;
    }
  });
  events.on("test:fail", () => {
    failed += 1;
  });
  // The report has the files in their order, so that what fails early would be said after half an hour.
  events.on("test:complete", ({ name, file = "", details }) => {
    const isTest = details.type !== "suite" && path.resolve(name) !== path.resolve(file);
    if (isTest && !details.passed) print(`failed: ${path.relative(process.cwd(), file)}: ${name}\n`);
  });
  let fileTimes: readonly FileTime[] = [];
  try {
    for await (const text of events.compose(spec)) print(String(text));
    fileTimes = times.read();
  } finally {
    times.remove();
    grouped?.remove();
  }

  if (files.size > longestShown) {
    const all = fileTimes.reduce((sum, { seconds }) => sum + seconds, 0);
    const lines = fileTimes
      .slice(0, longestShown)
      .map(({ file, seconds }) => `  ${seconds.toFixed(0)} s ${path.relative(process.cwd(), file)}`);
    print(`processor time: ${all.toFixed(0)} s, the most of it for\n${lines.join("\n")}\n`);
  }
  for (const name of skipped) print(`skipped: ${name}\n`);
  return { passed, failed, skipped };
}

/** The processor time of a file of tests, and of all that it started and waited for. */
interface FileTime {
  readonly file: string;
  readonly seconds: number;
}

/**
 * Has each process of tests write down its processor time, which is the same however busy the machine is, in a folder of
 * this run.
 */
function keepTimes(): {
  readonly tellsThem: string;
  readonly read: () => readonly FileTime[];
  readonly remove: () => void;
} {
  const folder = mkdtempSync(path.join(tmpdir(), "pallet-test-times-"));
  return {
    tellsThem: `${import.meta.resolve("./tell-processor-time.ts")}?${encodeURIComponent(folder)}`,
    read: () =>
      readdirSync(folder)
        .map((name) => {
          const [, seconds = "", file = ""] = /^(\S+) (.*)$/s.exec(readFileSync(path.join(folder, name), "utf8")) ?? [];
          return { file, seconds: Number(seconds) };
        })
        .toSorted((one, other) => other.seconds - one.seconds),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Writes a module for each group of files; what is told of a test names its own file all the same. */
function writeGroups(
  paths: readonly string[],
  mostInOne: number,
): { readonly files: readonly string[]; readonly remove: () => void } {
  const { alone, groups } = groupTests(
    paths.map((each) => ({ path: each, text: readFileSync(each, "utf8") })),
    mostInOne,
  );
  const folder = mkdtempSync(path.join(tmpdir(), "pallet-test-groups-"));
  const modules = groups.map((group, at) => {
    const file = path.join(folder, `group-${at + 1}.test.mjs`);
    writeFileSync(file, renderGroup(group.map((each) => pathToFileURL(each).href)));
    return file;
  });
  return { files: [...alone, ...modules], remove: () => rmSync(folder, { recursive: true }) };
}
