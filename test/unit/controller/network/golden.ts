import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** The path of test/golden/network/NAME. */
export function goldenFile(name: string): string {
  return path.resolve(import.meta.dirname, "../../../golden/network", name);
}

/** Holds a text against test/golden/network/NAME; with GOLDEN=write in the environment, writes it there instead. */
export function assertGolden(name: string, text: string): void {
  const file = goldenFile(name);
  if (process.env["GOLDEN"] === "write") {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), `differs from ${file}; rewrite it with GOLDEN=write if that is right`);
}
