import type { Stats } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { type CacheUse, chooseForgotten, familyOf } from "./choose-forgotten.ts";
import { holdEntry, removeEntry, useFile } from "./entry-uses.ts";

/**
 * The folder `name` of the cache, made by `build` if missing. An existing folder is complete: `build` fills a temporary
 * folder that gets its name only at the end. If two processes want the same folder, it is built once.
 *
 * The last part of the name, after a hyphen, must be a key of everything that determines the content, because other
 * checkouts and versions share the cache. Entries that differ only there are eventually removed (see
 * choose-forgotten.ts), but never while a process that asked for one is still running.
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
    // Nobody else is building this one, so any partial folder is left over from a killed build.
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

/** Removes the entries of a family that chooseForgotten names, unless they are in use. */
async function forgetOld(cacheDirectory: string, family: string): Promise<void> {
  const entries: CacheUse[] = [];
  for (const name of await readdir(cacheDirectory)) {
    if (name.startsWith(".") || familyOf(name) !== family) continue;
    // An older Pallet left no such file; and another process may be removing the same entries.
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
