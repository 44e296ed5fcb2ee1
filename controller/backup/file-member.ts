import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../proto/limits.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import type { TarMember } from "./tar/write-tar.ts";

/** A file on the disk as a member, of the size that it has now. Rejects with the error of stat(2). */
export async function fileMember(name: string, path: string): Promise<TarMember> {
  const { size } = await stat(path);
  return {
    name,
    sizeBytes: size,
    content: () =>
      size === 0
        ? []
        : (createReadStream(path, { end: size - 1, highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>),
  };
}

/** A text as a member. */
export function textMember(name: string, text: string | Uint8Array): TarMember {
  const bytes = Buffer.from(text as string);
  return { name, sizeBytes: bytes.length, content: () => [bytes] };
}

/** The files of a folder, at most so many. */
export interface FolderFiles {
  /** Paths from its top, in order. */
  readonly files: readonly string[];
  /** What is left out, a clause each. */
  readonly leftOut: readonly string[];
}

/**
 * Every plain file in a folder and in those below it, also where a link leads to one. What is no file is left out, and, unless
 * `hidden`, what is hidden (".git"). A folder that is not there has none. Rejects with the error of the system call.
 */
export async function filesBelow(folder: string, { hidden = false } = {}): Promise<FolderFiles> {
  const files: string[] = [];
  const leftOut: string[] = [];
  async function walk(path: string): Promise<void> {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch((error: unknown) => {
      if (path === "" && errorCodeOf(error) === "ENOENT") return [];
      throw error;
    });
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      if (!hidden && entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) await walk(below);
      else if (await isFile(join(folder, below))) files.push(below);
      else leftOut.push(`${join(folder, below)}, which is no file`);
    }
  }
  await walk("");
  const most = limits.backups.files.most;
  if (files.length > most) leftOut.push(`${files.length - most} files of ${folder}, which has more than ${most}`);
  return { files: files.slice(0, most), leftOut };
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
