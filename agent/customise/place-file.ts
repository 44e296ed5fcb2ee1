import { constants } from "node:fs";
import { type FileHandle, lchown, lstat, mkdir, open, rename, rm, symlink } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { runTool } from "../linux/run-tool.ts";

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Numbers of a user and a group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

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
  readonly content: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Permission bits, whatever the umask; 0644 unless given. */
  readonly mode?: number;
  /** Root unless given. */
  readonly owner?: Owner;
  /** Whether it is on the disk then; it is unless told otherwise. Who places many syncs their filesystem once (`syncFilesystem`). */
  readonly isSynced?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Places a file into a root filesystem that someone else made, replacing what has its name, and syncs it.
 *
 * A symbolic link in such a filesystem may point anywhere in ours. So every folder is opened relative to the one before
 * it (through /proc/self/fd, which serves as openat(2)) without following links, and the file is new and renamed into
 * place. Throws an `invalid` Failure when a folder on the way is something else, or the first one is missing.
 */
export async function placeFile({ isSynced = true, ...file }: PlaceFile): Promise<void> {
  await put(file, (temporary) => writeNew(temporary, file, isSynced), isSynced);
}

/** Has everything on the disk that was placed below a foreign root. Throws a Failure `tool-failed`. */
export async function syncFilesystem(root: string): Promise<void> {
  await runTool({ tool: "sync", args: ["-f", root], task: "write all files of the new system to the disk" });
}

/** A folder to make, or to give other bits and another owner. */
export interface PlaceFolder {
  readonly root: string;
  /** From the root on: those before the last are there. */
  readonly folders: readonly [string, ...string[]];
  readonly mode: number;
  readonly owner: Owner;
}

/** Makes a folder where none is, in the same way; what is in one that is there stays. */
export async function placeFolder({ root, folders, mode, owner: { uid, gid } }: PlaceFolder): Promise<void> {
  const opened: FileHandle[] = [await open(root, folderFlags)];
  try {
    for (const [depth, folder] of folders.entries())
      opened.push(await enter(opened, folder, depth === folders.length - 1));
    await opened.at(-1)?.chown(uid, gid);
    await opened.at(-1)?.chmod(mode);
  } finally {
    for (const folder of opened) await folder.close();
  }
}

/** Places a symbolic link, in the same way. */
export async function placeLink(link: Place & Pick<PlaceFile, "owner" | "isSynced"> & { readonly target: string }) {
  const { target, owner, isSynced = true, ...place } = link;
  const make = async (temporary: string) => {
    await symlink(target, temporary);
    if (owner !== undefined) await lchown(temporary, owner.uid, owner.gid);
  };
  await put(place, make, isSynced);
}

/** Removes a file, in the same way; one that is not there, in a folder that is not there, is left so. */
export async function removeFile({
  root,
  folders,
  name,
  isSynced = true,
}: Place & Pick<PlaceFile, "isSynced">): Promise<void> {
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
    if (isSynced) await last.sync();
  } finally {
    for (const folder of opened) await folder.close();
  }
}

/** Makes the thing under a temporary name in the folder, gives it its name, and syncs the folders. */
async function put(
  { root, folders, name }: Place,
  make: (temporary: string) => Promise<void>,
  isSynced: boolean,
): Promise<void> {
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
    if (isSynced) for (const folder of opened.toReversed()) await folder.sync();
  } finally {
    for (const folder of opened) await folder.close();
  }
}

async function writeNew(
  path: string,
  { content, mode = 0o644, owner, signal }: Omit<PlaceFile, "isSynced">,
  isSynced: boolean,
): Promise<void> {
  // Nobody else reads what is being written, whoever is to own it.
  const file = await open(path, newFile, mode & 0o700);
  try {
    await file.writeFile(content, { ...(signal && { signal }) });
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.chmod(mode);
    if (isSynced) await file.sync();
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
