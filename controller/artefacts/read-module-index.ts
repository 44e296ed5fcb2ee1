import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ModuleIndex, parseModuleIndex } from "./kernel-modules.ts";

/** Reads what depmod(8) has written about the modules of one kernel, in /lib/modules/<release>. */
export async function readModuleIndex(folder: string): Promise<ModuleIndex> {
  const [dep, builtin] = await Promise.all([
    readFile(join(folder, "modules.dep"), "utf8"),
    readFile(join(folder, "modules.builtin"), "utf8"),
  ]);
  return parseModuleIndex(dep, builtin);
}
