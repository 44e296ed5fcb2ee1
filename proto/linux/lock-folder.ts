import { open } from "node:fs/promises";
import { loadLibc } from "./libc.ts";

/** A held lock; the kernel releases it when this process ends, however it ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** LOCK_EX | LOCK_NB of <sys/file.h>. */
const exclusiveAtOnce = 2 | 4;

/**
 * Locks a folder by flock(2), which no name has to be remembered for and no process that is gone can hold. Undefined
 * when another process, or another part of this one, has the lock. On a filesystem that knows no locks of folders (NFS)
 * everyone gets it. Rejects when the folder cannot be opened.
 */
export async function lockFolder(path: string): Promise<FolderLock | undefined> {
  const { flock } = loadLibc();
  const handle = await open(path, "r");
  try {
    flock(handle.fd, exclusiveAtOnce);
  } catch (error) {
    // EAGAIN is EWOULDBLOCK on Linux.
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
      await handle.close();
      return undefined;
    }
  }
  return { release: () => handle.close() };
}
