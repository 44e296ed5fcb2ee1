// Golden files: what a test expects, too long to stand in it, in test/golden/. Whoever changes what they show rewrites
// them with GOLDEN=write in the environment, and reads the difference before committing it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

/** Whether golden files are to be rewritten from what the tests find. */
export const rewritesGolden: boolean = process.env["GOLDEN"] === "write";

/** The path of test/golden/NAME; pages of .github/ that hold what is drawn are named from there too. */
export function goldenFile(name: string): string {
  return path.join(import.meta.dirname, "golden", name);
}

/** Holds a text against test/golden/NAME, or writes it there. */
export function assertGolden(name: string, text: string): void {
  const file = goldenFile(name);
  rewrite(file, text);
  assert.equal(text, readFileSync(file, "utf8"), advice(file));
}

/**
 * Holds a value that JSON can carry against test/golden/NAME, or writes it there; how the file is laid out does not
 * matter.
 */
export function assertGoldenJson(name: string, value: unknown): void {
  const file = goldenFile(name);
  rewrite(file, `${JSON.stringify(value, null, 2)}\n`);
  const expected: unknown = JSON.parse(readFileSync(file, "utf8"));
  try {
    assert.deepEqual(value, expected);
  } catch (error) {
    // An assertion with a message of its own no longer shows what differs.
    if (error instanceof assert.AssertionError) error.message += `\n${advice(file)}`;
    throw error;
  }
}

function rewrite(file: string, text: string): void {
  if (!rewritesGolden) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function advice(file: string): string {
  return `differs from ${path.relative(process.cwd(), file)}; if that is right, rewrite it: GOLDEN=write npm run test:one FILE`;
}
