// `npm run test:one -- FILE [PATTERN]`: one test file, found by a part of its path.
import { globSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { runTestFiles } from "../run-tests.ts";
import { selectTestFiles } from "./select-test-files.ts";

const top = path.resolve(import.meta.dirname, "../..");
/** The longest of the long tests wait for hours. */
const timeoutMs = 6 * 3_600_000;

function refuse(message: string): never {
  process.stderr.write(`test:one: ${message}\n`);
  process.exit(2);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [wanted, pattern, ...rest] = positionals;
if (wanted === undefined || rest.length > 0)
  refuse(
    'give a test file, or a part of its path, and perhaps words of a title: npm run test:one -- journey "pulled plug"',
  );

const files = globSync("test/**/*.test.ts", { cwd: top }).toSorted();
const relative = path.isAbsolute(wanted) ? path.relative(top, wanted) : wanted;
const [file, ...others] = selectTestFiles(files, relative);
if (file === undefined) refuse(`no test file has "${wanted}" in its path; list them: git ls-files "test/*.test.ts"`);
if (others.length > 0)
  refuse(`"${wanted}" fits ${others.length + 1} files; give more of the path:\n  ${[file, ...others].join("\n  ")}`);

const titled = pattern === undefined ? "" : `, tests titled like /${pattern}/`;
process.stdout.write(`test:one: ${file}${titled}\n`);
const { passed, failed, skipped } = await runTestFiles([path.join(top, file)], {
  concurrency: 1,
  timeoutMs,
  ...(pattern !== undefined && { pattern }),
});
process.stdout.write(`test:one: ${file}${titled}: ${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
if (passed + failed + skipped.length === 0 && pattern !== undefined)
  process.stderr.write(`test:one: no test of ${file} has a title like /${pattern}/\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
