import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import path from "node:path";

/** Bytes of a boot file, read by position; `release` frees its resources. */
export interface BootContent {
  readonly sizeBytes: number;
  read(target: Uint8Array, positionBytes: number): Promise<number>;
  release(): Promise<void>;
}

/** Why a path leads to no content. */
export type MissingContent = { readonly missing: "not-found" | "refused"; readonly reason: string };

/** Content that was rendered for this request. */
export function textContent(text: string): BootContent {
  const bytes = new TextEncoder().encode(text);
  return {
    sizeBytes: bytes.length,
    async read(target, positionBytes) {
      const piece = bytes.subarray(positionBytes, positionBytes + target.length);
      target.set(piece);
      return piece.length;
    },
    async release() {},
  };
}

/**
 * Opens a regular file below a folder. Links are followed as long as they stay in the folder: the path is resolved
 * completely first, so neither "..", nor a link, nor a folder that is one, leads outside.
 *
 * Throws the errors of open(2) that say neither that there is no such file nor that it may not be read.
 */
export async function openContent(folder: string, relativePath: string): Promise<BootContent | MissingContent> {
  let handle: FileHandle | undefined;
  try {
    const root = await realpath(folder);
    const target = await realpath(path.join(root, relativePath));
    if (!target.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
      return { missing: "refused", reason: "the path leaves the boot tree" };
    // Without O_NONBLOCK, opening a FIFO would wait for its writer.
    handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const status = await handle.stat();
    if (status.isFile()) {
      const file = handle;
      handle = undefined;
      return {
        sizeBytes: status.size,
        read: async (into, positionBytes) => (await file.read(into, 0, into.length, positionBytes)).bytesRead,
        release: () => file.close(),
      };
    }
    return { missing: "refused", reason: "it is not a regular file" };
  } catch (error) {
    const missing = missingByErrno[(error as NodeJS.ErrnoException).code ?? ""];
    if (missing === undefined) throw error;
    return missing;
  } finally {
    await handle?.close();
  }
}

const noSuchFile: MissingContent = { missing: "not-found", reason: "there is no such file" };
const forbidden: MissingContent = { missing: "refused", reason: "the controller may not read it" };

const missingByErrno: Readonly<Record<string, MissingContent>> = {
  ENOENT: noSuchFile,
  ENOTDIR: noSuchFile,
  ENAMETOOLONG: noSuchFile,
  ELOOP: { missing: "refused", reason: "its symbolic links form a loop" },
  EACCES: forbidden,
  EPERM: forbidden,
  // A socket.
  ENXIO: { missing: "refused", reason: "it is not a regular file" },
};
