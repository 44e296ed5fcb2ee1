import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { migrationCopiesOf } from "./copy-before-migration.ts";
import { copyPathOf } from "./copy-nodes.ts";
import { markPathOf } from "./state-mark.ts";

const others = 0o077;

/**
 * Makes the folder of a state database, and keeps it and what is in it from other users: events and logs tell much about
 * a rack. What an earlier Pallet left open to them is closed. Throws the error of the system call.
 *
 * @param path of the database
 */
export function protectState(path: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A folder without the database may be somebody's who named the wrong one.
  if (existsSync(path)) close(folder, 0o700);
  const kept = [markPathOf(path), copyPathOf(path), ...migrationCopiesOf(path)];
  for (const file of [path, `${path}-wal`, `${path}-journal`, ...kept]) close(file, 0o600);
}

/** Makes the file of a database before SQLite does, whose log takes its mode (sqlite3.c: findCreateFileMode). */
export function createOwnFile(path: string): void {
  closeSync(openSync(path, "a", 0o600));
}

function close(path: string, mode: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & others) === 0 || found.uid !== process.geteuid?.()) return;
  try {
    chmodSync(path, mode);
  } catch (error) {
    // A state folder that is read-only now is told of where it matters.
    if ((error as NodeJS.ErrnoException).code !== "EROFS") throw error;
  }
}
