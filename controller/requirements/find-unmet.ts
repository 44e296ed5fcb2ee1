import { constants, glob } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Need } from "../../proto/linux/debian-package.ts";
import { mayAccess } from "../../proto/linux/may-access.ts";
import { systemPath } from "../../proto/linux/system-path.ts";
import type { Requirements, Unmet } from "./requirements.ts";

/** Checks this machine for everything that a command needs. */
export async function findUnmet({ root, needs, writes = [] }: Requirements): Promise<Unmet> {
  const notRoot = root !== undefined && process.getuid?.() !== 0;
  const unwritable: string[] = [];
  for (const folder of writes) if (!(await isWritable(folder))) unwritable.push(folder);
  return { needs: await findMissing(needs), notRoot, unwritable };
}

/** Those of the programs and files that are not on this machine. */
export async function findMissing(needs: readonly Need[]): Promise<readonly Need[]> {
  const folders = systemPath(process.env["PATH"]).split(":");
  const missing: Need[] = [];
  for (const need of new Set(needs)) {
    const isFile = need.startsWith("/");
    const places = isFile ? await Array.fromAsync(glob(need)) : folders.map((folder) => join(folder, need));
    const found = await Promise.all(places.map((place) => mayAccess(place, isFile ? constants.R_OK : constants.X_OK)));
    if (!found.includes(true)) missing.push(need);
  }
  return missing;
}

/** Whether this user may write to a folder or file, or make it. */
async function isWritable(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (await mayAccess(at, constants.W_OK)) return true;
    if (at === dirname(at) || (await mayAccess(at, constants.F_OK))) return false;
  }
}
