import { type FileHandle, open } from "node:fs/promises";
import { constants } from "node:os";
import { type KoffiFunction, loadKoffiAddon } from "../pack/koffi-addon.ts";

/** A lock that is held; the kernel lets go of it when this process ends, however it ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** LOCK_EX | LOCK_NB of <sys/file.h>. */
const exclusiveAtOnce = 2 | 4;

let flock: KoffiFunction | undefined;

/**
 * Locks a folder by flock(2), which no name has to be remembered for and no process that is gone can hold. Undefined when
 * another process, or another part of this one, has the lock. On a filesystem that knows no locks of folders (NFS) everybody
 * gets it. Rejects when the folder cannot be opened.
 */
export async function lockFolder(path: string): Promise<FolderLock | undefined> {
  const koffi = loadKoffiAddon();
  flock ??= koffi.load(null).func("int flock(int fd, int operation)");
  const handle: FileHandle = await open(path, "r");
  if (flock(handle.fd, exclusiveAtOnce) !== 0 && koffi.errno() === constants.errno.EWOULDBLOCK) {
    await handle.close();
    return undefined;
  }
  return { release: () => handle.close() };
}
