// `npm run test:long`: what takes longer than CI may, one file after the other; remembers what came out.
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { runTestFiles } from "../run-tests.ts";
import type { LongResult } from "./long-result.ts";
import { parseResults } from "./parse-results.ts";
import { renderAges, renderResults } from "./render-results.ts";

const top = path.resolve(import.meta.dirname, "../..");
const page = path.join(top, "test/long/RESULTS.md");
const timeoutMs = 6 * 3_600_000;
const git = async (...args: string[]): Promise<string> => (await execa("git", ["-C", top, ...args])).stdout;

async function printResults(files: readonly string[]): Promise<void> {
  const results = parseResults(await readFile(page, "utf8"));
  const ages = new Map<string, number | undefined>();
  for (const { commit } of results) {
    // For a commit that was never published, or is beyond a shallow clone, say so instead of counting.
    const known = await execa("git", ["-C", top, "merge-base", "--is-ancestor", commit, "HEAD"], { reject: false });
    ages.set(commit, known.exitCode === 0 ? Number(await git("rev-list", "--count", `${commit}..HEAD`)) : undefined);
  }
  process.stdout.write(`long tests (npm run test:long), the last results:\n${renderAges(files, results, ages)}`);
}

async function runFile(file: string): Promise<boolean> {
  const startedAt = performance.now();
  const { passed, failed, skipped } = await runTestFiles([path.join(top, file)], { concurrency: 1, timeoutMs });
  // A part that is missing proves nothing.
  const notProved = failed + skipped.length + (passed + failed === 0 ? 1 : 0);
  if ((await git("status", "--porcelain", "--", ".", ":!test/long/RESULTS.md")) !== "") {
    process.stdout.write("test:long: results not recorded: this tree does not match a commit\n");
    return notProved === 0;
  }
  const result: LongResult = {
    file,
    passed,
    failed: notProved,
    minutes: Math.ceil((performance.now() - startedAt) / 60_000),
    endedAt: `${new Date().toISOString().slice(0, 16)}Z`,
    commit: await git("rev-parse", "HEAD"),
    machine: `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? os.arch()}, Linux ${os.release()}`,
  };
  const others = parseResults(await readFile(page, "utf8")).filter((other) => other.file !== file);
  await writeFile(page, renderResults([...others, result]));
  return notProved === 0;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { results: { type: "boolean", default: false } },
});
const files = globSync("test/long/*.test.ts", { cwd: top }).toSorted();
const wanted = positionals.length === 0 ? files : positionals;
const unknown = wanted.filter((file) => !files.includes(file));
if (unknown.length > 0) {
  process.stderr.write(
    `test:long: there is no ${unknown.join(", no ")}; there is: ${files.join(" ") || "no long test"}\n`,
  );
  process.exit(2);
}
let isProved = true;
if (!values.results) for (const file of wanted) isProved = (await runFile(file)) && isProved;
await printResults(files);
process.exitCode = isProved ? 0 : 1;
