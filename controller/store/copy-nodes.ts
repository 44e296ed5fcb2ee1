import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { publishFile } from "../../proto/linux/publish-file.ts";
import { createNodeRows } from "./node-rows.ts";
import { migrate } from "./schema.ts";
import { inTransaction } from "./transaction.ts";

/** Where the copy of a database is. */
export function copyPathOf(database: string): string {
  return `${database}.backup`;
}

/** The copy beside a database, if there is one. */
export function findCopy(database: string): { readonly path: string; readonly madeAt: Date } | undefined {
  const path = copyPathOf(database);
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && { path, madeAt: stats.mtime };
}

/**
 * Copies nodes and settings into a database of their own, whole or not at all. It can be put in the place of one that
 * was lost. Rollouts are left out: one that has long ended must not go on from an old copy, it would erase disks.
 */
export function copyNodes(database: DatabaseSync, to: string): void {
  const unfinished = `${to}.new`;
  rmSync(unfinished, { force: true });
  closeSync(openSync(unfinished, "wx", 0o600));
  const copy = new DatabaseSync(unfinished);
  try {
    migrate(copy);
    createNodeRows(copy).saveAll(createNodeRows(database).all());
    const insert = copy.prepare("INSERT INTO settings (key, value) VALUES (?, ?)");
    const settings = database.prepare("SELECT key, value FROM settings").all();
    inTransaction(copy, () => {
      for (const { key, value } of settings) insert.run(key ?? null, value ?? null);
    });
  } finally {
    copy.close();
  }
  publishFile(unfinished, to);
}
