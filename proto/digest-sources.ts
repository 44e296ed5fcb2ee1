import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Documentation lies beside the code, and no program changes with it. */
const isOfProgram = (name: string): boolean => !name.endsWith(".md");

/**
 * Twelve hexadecimal digits that change with every change of a program's sources: of any file in these folders, and of the
 * packages that it uses. No git is needed where it is built or run, and an uncommitted change counts.
 *
 * Call it only in a module named source-files.ts, whose exports are constants in a single-file program
 * (scripts/binaries/inline-source-files.ts).
 *
 * @param top of the tree
 * @param folders from there
 */
export function digestSources(top: string, folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isOfProgram(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(top.length)),
  );
  const hash = createHash("sha256");
  for (const file of [...files.sort(), "/package-lock.json"]) {
    const content = readFileSync(join(top, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}
