import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";

/** Other entries that are kept: somebody else's test may still run from the one before. */
const kept = 2;

/** Removes the entries of a cache folder, of those whose names begin so, that were made longest ago; never `current`. */
export async function forgetOldest(cacheDirectory: string, prefix: string, current: string): Promise<void> {
  const isOther = (name: string) => name.startsWith(prefix) && name !== path.basename(current);
  const names = (await readdir(cacheDirectory)).filter(isOther);
  const entries: { readonly folder: string; readonly madeAt: number }[] = [];
  for (const name of names) {
    const folder = path.join(cacheDirectory, name);
    // Another test may be forgetting the same ones.
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined) entries.push({ folder, madeAt: found.mtimeMs });
  }
  entries.sort((a, b) => b.madeAt - a.madeAt);
  await Promise.all(entries.slice(kept).map(({ folder }) => rm(folder, { recursive: true, force: true })));
}
