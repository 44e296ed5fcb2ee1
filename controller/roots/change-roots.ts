import { randomBytes } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { isDiskFull } from "../../proto/linux/disk-full.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { lockFolder } from "../../proto/linux/lock-folder.ts";
import { type Root, readCurrentId, readRoot } from "./read-roots.ts";
import { flatRoot, parseRootId, type RootId, renderRootId } from "./root-id.ts";
import { currentLink, folderOfRoot, linkTargetOf, versionsFolder } from "./root-paths.ts";

/** What may be done to a store by the one process that has it. */
export interface RootsChange {
  /**
   * Makes a version. `make` fills the folder `version` of the working folder that it is given; what else it leaves there
   * goes when it has ended. The version gets its name when it is complete and on the disk; new boots get it only by `use`.
   */
  add(make: (place: { readonly work: string; readonly version: string }) => Promise<void>): Promise<Root>;
  /** From now on new boots get this version: one rename, so there is no moment without one. */
  use(id: RootId): Promise<void>;
  /** Removes a version. Throws a Failure for the one that new boots get. */
  remove(id: RootId): Promise<void>;
}

/** What an older Pallet's build left at the top of the store, its manifest first: without it nothing counts as built. */
const flatNames = ["manifest.json", "root", "root.previous", "vmlinuz", "initrd.img", "device-trees", "backports"];

/** Whether the name, in the folder of versions, is of what is not finished, or half removed. */
export function isUnfinished(name: string): boolean {
  return /^\.(making|removing)-/.test(name);
}

/**
 * Changes a store, which is made when it does not exist, as the only one: the lock goes with the process, however that
 * ends, and the next one removes what it left unfinished. `change` sees a store whose finished versions nobody else
 * touches.
 *
 * Throws a Failure when another process changes the store, when the disk is full, and what `change` throws.
 */
export async function changeRoots<T>(store: string, change: (roots: RootsChange) => Promise<T>): Promise<T> {
  const versions = join(store, versionsFolder);
  const made = await mkdir(versions, { recursive: true, mode: 0o755 });
  const lock = await lockFolder(versions);
  if (lock === undefined) {
    const remedy = 'wait until that "controller rootfs" has ended, and try again';
    throw new Failure("in-use", `another process is changing the root filesystems in ${store}; ${remedy}`);
  }
  try {
    await removeUnfinished(versions);
    return await change({
      add: (make) => add(store, make),
      use: (id) => use(store, id),
      remove: (id) => remove(store, id),
    });
  } catch (error) {
    // A folder that was made for nothing does not stay.
    if (made !== undefined && (await isEmpty(store))) await rm(made, { recursive: true, force: true });
    if (!isDiskFull(error) && !/No space left on device|Disk quota exceeded/.test(saidBy(error))) throw error;
    throw new Failure(
      "device-error",
      `no space left in ${store} for another root filesystem: free some space, or remove one that no node uses ` +
        "(controller rootfs list shows them); what nodes boot is as it was",
      { cause: error },
    );
  } finally {
    await lock.release();
  }
}

async function add(
  store: string,
  make: (place: { readonly work: string; readonly version: string }) => Promise<void>,
): Promise<Root> {
  const versions = join(store, versionsFolder);
  const work = await mkdtemp(join(versions, ".making-"));
  try {
    const version = join(work, "version");
    await mkdir(version, { mode: 0o755 });
    await make({ work, version });
    // Before it has a name: a power cut leaves all of it, or nothing that counts.
    await flush(version);
    const id = renderRootId(new Date(), randomBytes(4));
    await rename(version, folderOfRoot(store, id));
    const root = await readRoot(store, id);
    if (root === undefined)
      throw new Failure("internal", `${folderOfRoot(store, id)} was made without root/ or manifest.json`);
    return root;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function use(store: string, id: RootId): Promise<void> {
  const draft = join(store, versionsFolder, `.making-${randomBytes(8).toString("hex")}`);
  await symlink(linkTargetOf(id), draft);
  await rename(draft, join(store, currentLink));
  await flush(store);
}

async function remove(store: string, id: RootId): Promise<void> {
  if ((await readCurrentId(store)) === id) throw new Failure("in-use", `new boots get ${id}: it cannot be removed`);
  if (id === flatRoot) {
    for (const name of flatNames) await rm(join(store, name), { recursive: true, force: true });
    return;
  }
  // Out of sight first: what is half removed is no version.
  const going = join(store, versionsFolder, `.removing-${id}`);
  await rename(folderOfRoot(store, id), going);
  await rm(going, { recursive: true, force: true });
}

/** What a process that was killed has left: the lock says that none is at it. */
async function removeUnfinished(versions: string): Promise<void> {
  for (const name of await readdir(versions))
    if (isUnfinished(name)) await rm(join(versions, name), { recursive: true, force: true });
}

/** Whether a store holds no version, finished or not. */
async function isEmpty(store: string): Promise<boolean> {
  const [top, versions] = await Promise.all([readdir(store), readdir(join(store, versionsFolder))]);
  return top.length === 1 && !versions.some((name) => parseRootId(name) !== undefined);
}

/** Writes the filesystem that the folder is on to its disk (sync(1), syncfs(2)). */
async function flush(folder: string): Promise<void> {
  await access(folder);
  await execa("sync", ["--file-system", folder]);
}

/** What a tool that was run wrote to standard error. */
function saidBy(error: unknown): string {
  const said: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    said.push(cause.message, "stderr" in cause ? String(cause.stderr) : "");
  return said.join("\n");
}
