import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** As many symbolic links in one path as Linux follows (path_resolution(7)). */
const maxLinks = 40;

/** Where a path of a foreign root filesystem leads, as that system would name it, without links. */
export type Destination =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "absent" }
  | { readonly kind: "too-many-links" };

/** How to treat the end of the path. */
export interface FollowRules {
  /** "kept": what does not exist stays as it is named, so that it can be made there. */
  readonly missing: "absent" | "kept";
  /** "kept": a link at the very end is not followed, so that it can be replaced. */
  readonly lastLink: "followed" | "kept";
}

/**
 * Follows a path of a foreign root filesystem as if that filesystem were the root: symbolic links are followed inside
 * it, absolute ones too, and ".." stops at it. Nobody else may be changing it in the meantime. Rejects with the errors
 * of lstat(2) and readlink(2), except for what does not exist.
 */
export async function followInside(
  root: string,
  path: string,
  { missing, lastLink }: FollowRules,
): Promise<Destination> {
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
    if (found === undefined && missing === "absent") return { kind: "absent" };
    if (!found?.isSymbolicLink() || (ahead.length === 0 && lastLink === "kept")) {
      way.push(part);
      continue;
    }
    if (++links > maxLinks) return { kind: "too-many-links" };
    const target = await readlink(here);
    if (target.startsWith("/")) way.length = 0;
    ahead.unshift(...target.split("/").filter((name) => name !== ""));
  }
  return { kind: "found", path: `/${way.join("/")}` };
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
