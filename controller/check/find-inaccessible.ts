import { constants } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { mayAccess } from "../../proto/linux/may-access.ts";
import type { Config } from "../config/config.ts";

/** A file or folder with which this user may not do what the controller has to. */
export interface Inaccessible {
  readonly path: string;
  /** "enter": it is a folder on the way to one of them. */
  readonly lacks: "read" | "write" | "enter";
}

/** What the unit makes the controller's at each start, whoever it belonged to (setup/files/pallet.tmpfiles). */
const mended: readonly string[] = ["/var/lib/pallet", "/var/lib/pallet/images"];

/** So many say enough. */
const most = 20;

/**
 * Asks whether this user may read what nodes boot and are to be, and write where the controller writes. What is not there is
 * no matter of rights. Links to folders are not followed.
 *
 * @param rootFolder of the version of the root filesystem that new boots get
 */
export async function findInaccessible(
  { bootTree, profileDirectory, stateDirectory, imageDirectory }: Config,
  rootFolder: string | undefined,
): Promise<readonly Inaccessible[]> {
  const found = new Map<string, Inaccessible>();
  const ask = async (place: string, lacks: "read" | "write", mode: number): Promise<boolean> => {
    if (await mayAccess(place, mode)) return true;
    const missing = (await findClosed(place)) ?? { path: place, lacks };
    // A link that leads nowhere is there, too.
    if (missing.lacks === "enter" || (await mayAccess(place))) found.set(missing.path, missing);
    return false;
  };
  const walk = async (folder: string, leftOut?: string): Promise<void> => {
    if (!(await ask(folder, "read", constants.R_OK | constants.X_OK))) return;
    for (const entry of await entriesOf(folder)) {
      if (found.size >= most) return;
      const place = path.join(folder, entry.name);
      if (entry.name === leftOut) continue;
      if (entry.isDirectory()) await walk(place);
      else await ask(place, "read", constants.R_OK);
    }
  };
  await walk(bootTree);
  await walk(profileDirectory);
  // Nodes get what is in it from the NFS server.
  if (rootFolder !== undefined) await walk(rootFolder, "root");
  for (const folder of [stateDirectory, imageDirectory].filter((each) => !mended.includes(each)))
    await ask(folder, "write", constants.R_OK | constants.W_OK | constants.X_OK);
  if (!mended.includes(imageDirectory)) await walk(imageDirectory);
  return [...found.values()];
}

/** The outermost folder above a path that this user may not enter. */
async function findClosed(place: string): Promise<Inaccessible | undefined> {
  const above: string[] = [];
  for (let at = path.dirname(place); ; at = path.dirname(at)) {
    above.unshift(at);
    if (at === path.dirname(at)) break;
  }
  for (const folder of above)
    if ((await mayAccess(folder)) && !(await mayAccess(folder, constants.X_OK)))
      return { path: folder, lacks: "enter" };
  return undefined;
}

/** What is in a folder; nothing where it is none, or is gone meanwhile. */
async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT" || errorCodeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
