import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm, symlink } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Where to place something below a foreign root. */
export interface Place {
  /** Folder at which the foreign root filesystem is mounted. */
  readonly root: string;
  /** Folders from that root to the file: the first must be there, the others are made when they are not. */
  readonly folders: readonly [string, ...string[]];
  readonly name: string;
}

/** The place of an absolute path of the foreign root, at least one folder deep. Throws a TypeError for another path. */
export function placeOf(path: string): Pick<Place, "folders" | "name"> {
  const [, first, ...others] = path.split("/");
  const name = others.pop();
  if (!first || !name) throw new TypeError(`${path} is not the absolute path of a file in a folder`);
  return { folders: [first, ...others], name };
}

/** A file to place below a foreign root. */
export interface PlaceFile extends Place {
  readonly content: string | AsyncIterable<Uint8Array>;
  /** Permission bits, whatever the umask; 0644 unless given. */
  readonly mode?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Places a file into a root filesystem that someone else made, replacing what has its name, and syncs it.
 *
 * A symbolic link in such a filesystem may point anywhere in ours. So every folder is opened relative to the one before
 * it (through /proc/self/fd, which serves as openat(2)) without following links, and the file is new and renamed into
 * place. Throws an `invalid` Failure when a folder on the way is something else, or the first one is missing.
 */
export async function placeFile({ content, mode = 0o644, signal, ...place }: PlaceFile): Promise<void> {
  await put(place, (temporary) => writeNew(temporary, content, mode, signal));
}

/** Places a symbolic link, in the same way. */
export async function placeLink({ target, ...place }: Place & { readonly target: string }): Promise<void> {
  await put(place, (temporary) => symlink(target, temporary));
}

/** Removes a file, in the same way; one that is not there, in a folder that is not there, is left so. */
export async function removeFile({ root, folders, name }: Place): Promise<void> {
  const opened: FileHandle[] = [await open(root, folderFlags)];
  try {
    for (const folder of folders) {
      const parent = opened.at(-1);
      if (parent === undefined || !(await lstat(within(parent, folder)).catch(() => undefined))) return;
      opened.push(await enter(opened, folder, false));
    }
    const last = opened.at(-1);
    if (last === undefined) return;
    await rm(within(last, name), { force: true });
    await last.sync();
  } finally {
    for (const folder of opened) await folder.close();
  }
}

/** Makes the thing under a temporary name in the folder, gives it its name, and syncs the folders. */
async function put({ root, folders, name }: Place, make: (temporary: string) => Promise<void>): Promise<void> {
  const opened: FileHandle[] = [await open(root, folderFlags)];
  try {
    for (const [depth, folder] of folders.entries()) opened.push(await enter(opened, folder, depth > 0));
    const last = opened[opened.length - 1];
    if (last === undefined) return;
    const temporary = within(last, `.${name}.pallet-new`);
    await rm(temporary, { force: true });
    try {
      await make(temporary);
      await rename(temporary, within(last, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    for (const folder of opened.toReversed()) await folder.sync();
  } finally {
    for (const folder of opened) await folder.close();
  }
}

async function writeNew(
  path: string,
  content: PlaceFile["content"],
  mode: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, newFile, mode);
  try {
    await file.writeFile(content, { ...(signal && { signal }) });
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function enter(opened: readonly FileHandle[], name: string, make: boolean): Promise<FileHandle> {
  const parent = opened[opened.length - 1];
  if (parent === undefined) throw new Failure("internal", "no folder to enter from");
  const path = within(parent, name);
  if (make)
    await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
      if (errorCodeOf(error) !== "EEXIST") throw error;
    });
  return open(path, folderFlags).catch((error: unknown) => {
    const code = errorCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") throw error;
    const finding = code === "ENOENT" ? "has no folder" : "has something other than a folder (a symbolic link?) at";
    throw new Failure("invalid", `the new system's root filesystem ${finding} "${name}"`, { cause: error });
  });
}

function within(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}
