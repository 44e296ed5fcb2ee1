import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The text of every file in a folder of the source tree, by name: scripts and the like that stay what they are.
 *
 * Call it, as digestModule, only in a module named source-files.ts, whose exports are then constants: in a single-file
 * program no folder is beside the code, so scripts/binaries puts their values in that module's place.
 *
 * @param folder where source-files.ts lies; the files are in its folder `files`
 */
export function readSourceFiles(folder: string): Readonly<Record<string, string>> {
  const files = join(folder, "files");
  return Object.fromEntries(readdirSync(files).map((name) => [name, readFileSync(join(files, name), "utf8")]));
}
