import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { limits } from "../../proto/limits.ts";
import type { Problem } from "./located.ts";
import type { Reference } from "./select-references.ts";

/** Files that profiles name, as they are now. */
export interface ReadFiles {
  /** By absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly problems: readonly Problem[];
}

/** Reads the files that profiles name. What cannot be read, or what others could read that is a secret, is a problem. */
export async function readReferences(references: readonly Reference[]): Promise<ReadFiles> {
  const files = new Map<string, Uint8Array>();
  const problems: Problem[] = [];
  for (const reference of references) {
    const { path, place } = reference;
    const read = await readReference(reference);
    if (typeof read === "string") problems.push({ place, problem: `${path} ${read}` });
    else files.set(path, read);
  }
  return { files, problems };
}

/** What is in it, or what is wrong with it, as a clause. */
async function readReference({ path, isSecret }: Reference): Promise<Uint8Array | string> {
  let handle: FileHandle | undefined;
  try {
    // Nobody waits for a pipe.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    const { mode, size, uid } = stats;
    if (!stats.isFile()) return "is no file";
    if (isSecret && (mode & 0o077) !== 0) return `is a secret that others may read: chmod 600 ${path}`;
    if (isSecret && uid !== 0 && uid !== process.getuid?.())
      return `is a secret that belongs to another user (uid ${uid}): chown it to the controller's`;
    const most = limits.config.fileBytes.most;
    if (size > most) return `has ${size} bytes; a file of a node has at most ${most}`;
    const bytes = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await handle.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "is not there" : `cannot be read (${code ?? message})`;
  } finally {
    await handle?.close();
  }
}
