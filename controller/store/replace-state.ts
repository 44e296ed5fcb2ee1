import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flushPath, publishFile } from "../../proto/linux/publish-file.ts";
import { assertNotOpen } from "./restored-database.ts";
import { markPathOf, type StateMark } from "./state-mark.ts";

const databaseName = "pallet.sqlite";
const identityName = "identity";

/** What of a state lies in a folder: names of its files and of the folder of the identity. None where there is no state. */
export function stateIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name === identityName || name.startsWith(databaseName));
}

/** Where the database of a state folder is. */
export function databaseIn(folder: string): string {
  return join(folder, databaseName);
}

/**
 * Puts a database and an identity, which lie on the same disk, in the place of those in a state folder. What is there is kept in the
 * folder `aside`. A power cut in between leaves a state that `serve` refuses: the mark of the new database comes first, and the
 * database itself last. Throws the error of a system call, and a Failure when a controller has the state open.
 */
export function replaceState(
  folder: string,
  staged: { readonly database: string; readonly identity: string; readonly mark: StateMark },
  aside: string,
): void {
  const database = databaseIn(folder);
  const before = stateIn(folder);
  if (existsSync(database)) assertNotOpen(database);
  if (before.length > 0) mkdirSync(aside, { recursive: true, mode: 0o700 });
  const mark = markPathOf(database);
  if (existsSync(mark)) copyFileSync(mark, join(aside, `${databaseName}.mark`));
  writeFileSync(`${mark}.new`, `${JSON.stringify(staged.mark)}\n`, { mode: 0o600 });
  publishFile(`${mark}.new`, mark);
  for (const name of before) if (join(folder, name) !== mark) renameSync(join(folder, name), join(aside, name));
  if (before.length > 0) flushPath(aside);
  renameSync(staged.identity, join(folder, identityName));
  publishFile(staged.database, database);
  // One that was started in this very moment works on what was moved away.
  if (before.includes(databaseName)) assertNotOpen(join(aside, databaseName));
}
