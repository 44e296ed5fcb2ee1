import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { type Destination, type FollowRules, followPath } from "./follow-path.ts";

/**
 * Follows a path of a foreign root filesystem as `followPath` does. Nobody else may be changing it in the meantime.
 * Rejects with the errors of lstat(2) and readlink(2), except for what does not exist.
 */
export function followInside(root: string, path: string, rules: FollowRules): Promise<Destination> {
  const lookUp = async (inside: string): Promise<{ readonly linkTarget?: string } | undefined> => {
    const here = join(root, inside);
    const found = await lstat(here).catch(ignoreAbsent);
    return found?.isSymbolicLink() ? { linkTarget: await readlink(here) } : found && {};
  };
  return followPath(lookUp, path, rules);
}

/** Where a path of a foreign root filesystem leads in the end; undefined when there is nothing. */
export async function resolveInside(root: string, path: string): Promise<string | undefined> {
  const end = await followInside(root, path, { missing: "absent", lastLink: "followed" });
  return end.kind === "found" ? end.path : undefined;
}

/**
 * The first bytes of a regular file of a foreign root filesystem, at most so many; undefined when there is no such
 * file. Nothing else is opened: a FIFO would keep us waiting.
 */
export async function readInside(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const inside = await resolveInside(root, path);
  if (inside === undefined || !(await lstat(join(root, inside))).isFile()) return undefined;
  const file = await open(join(root, inside), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.alloc(maxBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length < maxBytes; length += read)
      read = (await file.read(bytes, length, maxBytes - length, length)).bytesRead;
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** The text of a file as above. Throws a Failure `invalid` when it is longer than so many bytes. */
export async function readTextInside(root: string, path: string, maxBytes: number): Promise<string | undefined> {
  const bytes = await readInside(root, path, maxBytes + 1);
  if (bytes !== undefined && bytes.length > maxBytes)
    throw new Failure("invalid", `${path} of the new system is longer than ${maxBytes} bytes`);
  return bytes?.toString("utf8");
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
