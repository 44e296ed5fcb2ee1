import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { flatRoot, parseRootId, type RootId } from "./root-id.ts";
import { parseRootManifest, type RootManifest } from "./root-manifest.ts";
import { currentLink, folderOfRoot, rootFolderOf, rootOfLinkTarget, versionsFolder } from "./root-paths.ts";

/** One version of the root filesystem, as it is on the disk: complete, and never changed again. */
export interface Root {
  readonly id: RootId;
  /** Holds root/, vmlinuz, initrd.img, device-trees/ and manifest.json. */
  readonly folder: string;
  /** What nodes mount. */
  readonly rootFolder: string;
  readonly manifest: RootManifest;
  /** When its folder was completed, in milliseconds since the epoch. */
  readonly madeAt: number;
}

/** What `nfs.rootfs` names. */
export type RootsLocation =
  /** A store of versions: what "controller rootfs" makes. */
  | { readonly kind: "store"; readonly store: string }
  /** A root filesystem of the operator's own, which has no versions. */
  | { readonly kind: "plain"; readonly rootFolder: string }
  | { readonly kind: "missing" };

/**
 * Finds out what a folder is. The folder root/ of an older Pallet's build stands for the store that it lies in; and a
 * folder that holds root/, and is no system itself, for what somebody has put there in the place of a build.
 */
export async function locateRoots(path: string): Promise<RootsLocation> {
  if (await isStore(path)) return { kind: "store", store: path };
  const parent = dirname(path);
  if (basename(path) === "root" && (await isStore(parent))) return { kind: "store", store: parent };
  const names = await readdir(path).catch(ignoreMissing);
  if (names === undefined || names.length === 0) return { kind: "missing" };
  const isSystem = ["bin", "etc", "sbin", "usr"].some((name) => names.includes(name));
  return { kind: "plain", rootFolder: !isSystem && names.includes("root") ? join(path, "root") : path };
}

/** The finished versions of a store, oldest first. */
export async function readRoots(store: string): Promise<readonly Root[]> {
  const names = await readdir(join(store, versionsFolder)).catch(ignoreMissing);
  const ids = [flatRoot, ...(names ?? []).flatMap((name) => parseRootId(name) ?? []).toSorted()];
  const roots = await Promise.all([...new Set(ids)].map((id) => readRoot(store, id)));
  return roots.filter((root) => root !== undefined);
}

/** One version; undefined where there is none, or what is there is not complete. */
export async function readRoot(store: string, id: RootId): Promise<Root | undefined> {
  const folder = folderOfRoot(store, id);
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(ignoreMissing);
  const manifest = text === undefined ? undefined : parseRootManifest(text);
  if (manifest === undefined) return undefined;
  const rootFolder = rootFolderOf(store, id);
  const status = await lstat(rootFolder).catch(ignoreMissing);
  if (status?.isDirectory() !== true) return undefined;
  const { mtimeMs } = await stat(join(folder, "manifest.json"));
  return { id, folder, rootFolder, manifest, madeAt: Math.floor(mtimeMs) };
}

/**
 * The version that new boots get: the one that `current` leads to, or, in a store that only an older Pallet has built
 * in, what it built there. Undefined before the first is finished.
 */
export async function readCurrentRoot(store: string): Promise<Root | undefined> {
  const id = await readCurrentId(store);
  return id === undefined ? undefined : readRoot(store, id);
}

/** The id of that version, and since when it has been the one, in milliseconds since the epoch. */
export async function readCurrentId(store: string): Promise<RootId | undefined> {
  const target = await readlink(join(store, currentLink)).catch(ignoreMissing);
  return target === undefined ? flatRoot : rootOfLinkTarget(target);
}

/** When new boots last began to get another version, in milliseconds since the epoch; undefined if they never have. */
export async function readSwitchedAt(store: string): Promise<number | undefined> {
  const status = await lstat(join(store, currentLink)).catch(ignoreMissing);
  return status === undefined ? undefined : Math.floor(status.mtimeMs);
}

async function isStore(path: string): Promise<boolean> {
  for (const name of [currentLink, versionsFolder, "manifest.json"])
    if ((await lstat(join(path, name)).catch(() => undefined)) !== undefined) return true;
  return false;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR" && error.code !== "EINVAL") throw error;
  return undefined;
}
