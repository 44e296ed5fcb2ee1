import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type FolderLock, lockFolder } from "../../../proto/linux/lock-folder.ts";

const prefix = ".unfinished-";

/**
 * Runs `work` with a new folder in `directory`, and removes afterwards what is left of it. Meanwhile it is locked, by
 * which `clearUnfinished` knows it from what a killed process left.
 */
export async function withUnfinishedFolder<T>(directory: string, work: (folder: string) => Promise<T>): Promise<T> {
  for (;;) {
    const folder = await mkdtemp(join(directory, prefix));
    const lock = await lockUnlessGone(folder);
    // A process that starts just now may have taken it for a leftover in the moment before it was locked.
    if (lock === undefined || lock === "gone" || (await stat(folder).catch(() => undefined)) === undefined) {
      if (lock !== "gone") await lock?.release();
      continue;
    }
    try {
      return await work(folder);
    } finally {
      await removeFolder(folder);
      await lock.release();
    }
  }
}

/**
 * Removes what processes that were killed left in `directory`. A folder that someone is still filling stays.
 *
 * @returns the folders that stay
 */
export async function clearUnfinished(directory: string): Promise<readonly string[]> {
  const inUse: string[] = [];
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(directory, name);
    const lock = await lockUnlessGone(folder);
    // Its owner has removed it meanwhile.
    if (lock === "gone") continue;
    if (lock === undefined) {
      inUse.push(folder);
      continue;
    }
    await removeFolder(folder);
    await lock.release();
  }
  return inUse;
}

function lockUnlessGone(folder: string): Promise<FolderLock | "gone" | undefined> {
  return lockFolder(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return "gone" as const;
  });
}

/** Retries for a while: children of a killed process may still be writing to the folder. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
