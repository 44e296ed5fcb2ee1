import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";

/** As many symbolic links on one way as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Where a path of a foreign root filesystem leads when that filesystem is the root: symbolic links are followed inside
 * it, absolute ones too, and ".." stops at it. Nobody else may be changing it meanwhile. Returns the path as the foreign
 * system would name it, without links, or undefined when there is nothing.
 */
export async function resolveInside(root: string, path: string): Promise<string | undefined> {
  const ahead = path.split("/").filter((part) => part !== "");
  const way: string[] = [];
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === ".") continue;
    if (part === "..") {
      way.pop();
      continue;
    }
    const here = join(root, ...way, part);
    const found = await lstat(here).catch(ignoreAbsent);
    if (found === undefined) return undefined;
    if (!found.isSymbolicLink()) {
      way.push(part);
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    const target = await readlink(here);
    if (target.startsWith("/")) way.length = 0;
    ahead.unshift(...target.split("/").filter((name) => name !== ""));
  }
  return `/${way.join("/")}`;
}

/**
 * The first bytes of a regular file of a foreign root filesystem, at most so many; undefined when there is no such file.
 * Nothing else is opened: a FIFO would keep us waiting.
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
