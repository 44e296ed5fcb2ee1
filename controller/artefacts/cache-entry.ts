import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";

/**
 * The folder `name` of the cache, made by `build` if it is not there yet. What is there is complete: `build` fills a
 * temporary folder that gets its name only at the end. Two processes that want the same folder build it once.
 */
export async function cacheEntry(
  cacheDirectory: string,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDirectory, name);
  if (await exists(folder)) return folder;
  await mkdir(cacheDirectory, { recursive: true });
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
    return folder;
  } finally {
    await unlock();
  }
}

/** Whether the cache has the folder, complete. */
export function isCached(cacheDirectory: string, name: string): Promise<boolean> {
  return exists(join(cacheDirectory, name));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
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
