import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { orderModules } from "../artefacts/kernel-modules.ts";
import { readModuleIndex } from "../artefacts/read-module-index.ts";

const listsOfDepmod = ["modules.builtin", "modules.builtin.modinfo", "modules.order"];

/** Finds the release of the one kernel whose modules a root filesystem holds. */
export async function kernelRelease(rootFolder: string): Promise<string> {
  const folder = join(rootFolder, "usr/lib/modules");
  const [release, ...others] = await readdir(folder);
  if (release === undefined || others.length > 0) throw new Error(`${folder} does not hold exactly one kernel`);
  return release;
}

/**
 * Copies the named modules, and all that they need, from /usr/lib/modules of one folder to `toFolder`, which becomes
 * <release>'s own, and has depmod(8) list them again. Compressed ones are unpacked: not every insmod can do that.
 *
 * @param fromBase folder over lib/modules, for which depmod has run
 * @param toBase the same for the copy
 */
export async function copyModules(
  fromBase: string,
  toBase: string,
  release: string,
  names: readonly string[],
): Promise<void> {
  const from = join(fromBase, "lib/modules", release);
  const to = join(toBase, "lib/modules", release);
  const wanted = orderModules(await readModuleIndex(from), names);
  for (const path of wanted) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
  for (const name of listsOfDepmod) await copyFile(join(from, name), join(to, name));
  const compressed = wanted.filter((path) => path.endsWith(".xz")).map((path) => join(to, path));
  if (compressed.length > 0) await execa("xz", ["--decompress", ...compressed]);
  await execa("depmod", ["--basedir", toBase, release]);
}

/** Drops every kernel module of a root filesystem that is not named or needed by one that is. */
export async function keepModules(rootFolder: string, release: string, names: readonly string[]): Promise<void> {
  const base = join(rootFolder, "usr");
  await execa("depmod", ["--basedir", base, release]);
  const kept = join(rootFolder, ".kept");
  await copyModules(base, kept, release, names);
  await rm(join(base, "lib/modules", release), { recursive: true });
  await rename(join(kept, "lib/modules", release), join(base, "lib/modules", release));
  await rm(kept, { recursive: true });
}
