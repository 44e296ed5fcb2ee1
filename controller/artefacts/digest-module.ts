import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Imports that decide nothing of what is made: what it takes to be made, how failures are told, and how it is kept. */
const undeciding =
  /\/(proto|requirements)\/|\/(plan-requirements|cache-entry|entry-uses|choose-forgotten|digest-module)\.ts$/;

/**
 * Names the code that makes something: SHA-256, in hexadecimal, of a module's source and that of every module of the
 * tree that it imports, directly or not. Part of a cache's key, as the code decides what comes out as much as its input.
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
  // Where the checkout lies is left out.
  const named = [...sources].map(([path, source]) => [relative(dirname(file), path), source] as const);
  for (const part of named.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat()) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}
