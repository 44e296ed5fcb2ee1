import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Imports that do not affect the result: its requirements, how failures are reported, and how it is cached. */
const undeciding =
  /\/(proto|requirements)\/|\/(plan-requirements|cache-entry|entry-uses|choose-forgotten|digest-module)\.ts$/;

/**
 * Identifies the code that makes something: hexadecimal SHA-256 of a module's source and of every module in the tree
 * that it imports, directly or indirectly. Part of a cache key, because the code determines the result as much as its
 * input does.
 *
 * For a checkout only; for single-file programs see read-source-files.ts.
 *
 * @param file path of a .ts file
 */
export function digestModule(file: string): string {
  const sources = new Map<string, string>();
  const visit = (path: string): void => {
    if (sources.has(path)) return;
    const source = readFileSync(path, "utf8");
    sources.set(path, source);
    const imports = source.matchAll(/^(?:import|export|\})[^"\n]*"(\.{1,2}\/[^"]+\.ts)";$/gm);
    for (const [, imported = ""] of imports) if (!undeciding.test(imported)) visit(join(dirname(path), imported));
  };
  visit(file);
  const hash = createHash("sha256");
  // The location of the checkout does not count.
  const named = [...sources].map(([path, source]) => [relative(dirname(file), path), source] as const);
  for (const part of named.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat()) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}
