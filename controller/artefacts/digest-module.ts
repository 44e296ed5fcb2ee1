import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** How something failed, and how it is kept, decides nothing of what it is. */
const undeciding = /\/(proto\/.*|artefacts\/(cache-entry|entry-uses|choose-forgotten|digest-module)\.ts)$/;

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
    if (sources.has(path) || undeciding.test(path)) return;
    const source = readFileSync(path, "utf8");
    sources.set(path, source);
    for (const [, imported = ""] of source.matchAll(/^(?:import|export|\})[^"\n]*"(\.{1,2}\/[^"]+\.ts)";$/gm))
      visit(join(dirname(path), imported));
  };
  visit(file);
  const hash = createHash("sha256");
  // Where the checkout lies is left out.
  const named = [...sources].map(([path, source]) => [relative(dirname(file), path), source] as const);
  for (const part of named.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat()) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}
