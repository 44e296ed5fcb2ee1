import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";

/**
 * How many entries of earlier sources are kept: to go back and forth between two states is common, and somebody may
 * still use the one before.
 */
const KEPT = 2;

/**
 * Removes the entries of a cache folder, of those whose names begin so, that were made longest ago. Never `current`, of
 * which it is given the path.
 */
export async function forgetOldest(cacheDirectory: string, prefix: string, current: string): Promise<void> {
  const isOther = (name: string) => name.startsWith(prefix) && name !== path.basename(current);
  const names = (await readdir(cacheDirectory)).filter(isOther);
  const entries: { readonly folder: string; readonly madeAt: number }[] = [];
  for (const name of names) {
    const folder = path.join(cacheDirectory, name);
    // Somebody else may be forgetting the same ones.
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined) entries.push({ folder, madeAt: found.mtimeMs });
  }
  entries.sort((a, b) => b.madeAt - a.madeAt);
  await Promise.all(entries.slice(KEPT).map(({ folder }) => rm(folder, { recursive: true, force: true })));
}
