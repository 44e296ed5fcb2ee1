import type { Stats } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { type CacheUse, chooseForgotten, familyOf } from "./choose-forgotten.ts";
import { holdEntry, removeEntry, useFile } from "./entry-uses.ts";

/**
 * The folder `name` of the cache, made by `build` if it is not there yet. What is there is complete: `build` fills a
 * temporary folder that gets its name only at the end. Two processes that want the same folder build it once.
 *
 * The last part of the name, behind a hyphen, is to be a key of everything that decides the content: other checkouts and
 * other versions share the folder. Entries that differ only there are forgotten in time (see choose-forgotten.ts); never
 * one that a process has asked for and that process still lives.
 */
export async function cacheEntry(
  cacheDirectory: string,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDirectory, name);
  await mkdir(cacheDirectory, { recursive: true });
  await holdEntry(cacheDirectory, name);
  if (await exists(folder)) return folder;
  const unlock = await lock(join(cacheDirectory, `.${name}.lock`));
  try {
    if (await exists(folder)) return folder;
    // Nobody else is building this one, so whatever is there of it is left over from a build that was killed.
    for (const stale of await readdir(cacheDirectory)) {
      if (stale.startsWith(`.${name}-`)) await rm(join(cacheDirectory, stale), { recursive: true, force: true });
    }
    const temporary = await mkdtemp(join(cacheDirectory, `.${name}-`));
    try {
      await build(temporary);
      await rename(temporary, folder);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await unlock();
  }
  await forgetOld(cacheDirectory, familyOf(name));
  return folder;
}

/** Removes what chooseForgotten says of a family, as far as nobody uses it. */
async function forgetOld(cacheDirectory: string, family: string): Promise<void> {
  const entries: CacheUse[] = [];
  for (const name of await readdir(cacheDirectory)) {
    if (name.startsWith(".") || familyOf(name) !== family) continue;
    // An older Pallet left no such file; and someone else may be forgetting the same entries.
    const used = (await statIfThere(useFile(cacheDirectory, name))) ?? (await statIfThere(join(cacheDirectory, name)));
    if (used !== undefined) entries.push({ name, usedAtMs: used.mtimeMs });
  }
  for (const name of chooseForgotten(entries, Date.now())) await removeEntry(cacheDirectory, name);
}

/** Whether the cache has the folder, complete. */
export function isCached(cacheDirectory: string, name: string): Promise<boolean> {
  return exists(join(cacheDirectory, name));
}

async function exists(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== undefined;
}

function statIfThere(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** Holds flock(1) on a file by a child that ends with its standard input, so that the lock dies with this process. */
async function lock(path: string): Promise<() => Promise<void>> {
  const holder = execa("flock", [path, "sh", "-c", "echo locked; exec cat"], { buffer: false });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", resolve);
    holder.catch(reject);
  });
  return async () => {
    holder.stdin.end();
    await holder;
  };
}
