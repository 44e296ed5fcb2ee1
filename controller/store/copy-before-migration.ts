import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { publishFile } from "../../proto/linux/publish-file.ts";
import { migrations, schemaVersionOf } from "./schema.ts";

/** How many copies are kept, of the newest schemas: those of the last two Pallets that somebody may want to go back to. */
const mostCopies = 2;

/** Where the copy of a database is kept that had this schema version when a newer Pallet first opened it. */
export function migrationCopyPathOf(database: string, version: number): string {
  return `${database}.schema-${version}`;
}

/**
 * Copies a database that is about to get a newer schema, with everything in it, to a file beside it: an older Pallet can be
 * started from that again. A database without a schema has nothing to keep. Throws a Failure when it was written by a newer
 * Pallet, and what SQLite says when there is no room: then nothing has changed.
 */
export function copyBeforeMigration(database: DatabaseSync, path: string, steps: readonly string[] = migrations): void {
  const version = schemaVersionOf(database, steps);
  if (version === 0 || version === steps.length) return;
  const copy = migrationCopyPathOf(path, version);
  const unfinished = `${copy}.new`;
  rmSync(unfinished, { force: true });
  // SQLite would make it with other rights; it takes a file that is empty.
  closeSync(openSync(unfinished, "wx", 0o600));
  try {
    database.prepare("VACUUM INTO ?").run(unfinished);
    publishFile(unfinished, copy);
  } finally {
    rmSync(unfinished, { force: true });
  }
  for (const old of migrationCopiesOf(path).slice(0, -mostCopies)) rmSync(old, { force: true });
}

/** The copies beside a database, that of the oldest schema first. */
export function migrationCopiesOf(path: string): readonly string[] {
  const prefix = `${basename(path)}.schema-`;
  return readdirSync(dirname(path))
    .flatMap((name) => {
      const version = name.startsWith(prefix) ? name.slice(prefix.length) : "";
      return /^\d{1,6}$/.test(version) ? [{ version: Number(version), file: join(dirname(path), name) }] : [];
    })
    .toSorted((one, other) => one.version - other.version)
    .map(({ file }) => file);
}
