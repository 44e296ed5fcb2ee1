import type { DatabaseSync } from "node:sqlite";
import { numberOf } from "./row.ts";
import type { StateMark } from "./state-mark.ts";

/** The key in "settings"; an older Pallet, which does not count, leaves it as it is. */
const key = "changes";
const counted = ["nodes", "rollouts", "reimages", "settings", "operators"];

/**
 * Counts every change of what must not be lost, in the transaction that makes it. Events and logs may lose their last
 * ones, and are not counted.
 *
 * @returns reads what the database holds now
 */
export function countChanges(database: DatabaseSync): () => StateMark {
  database.prepare("INSERT INTO settings (key, value) VALUES (?, '0') ON CONFLICT (key) DO NOTHING").run(key);
  for (const table of counted) {
    for (const change of ["INSERT", "UPDATE", "DELETE"]) {
      const row = change === "DELETE" ? "OLD" : "NEW";
      // Of this connection alone, so that the schema stays what every Pallet knows.
      database.exec(
        `CREATE TEMP TRIGGER count_${table}_${change} AFTER ${change} ON main.${table}
         ${table === "settings" ? `WHEN ${row}.key <> '${key}'` : ""}
         BEGIN UPDATE settings SET value = CAST(value AS INTEGER) + 1 WHERE key = '${key}'; END`,
      );
    }
  }
  return heldBy(database);
}

/** Those of the counted tables that a database of any version has. */
export function countedTables(database: DatabaseSync): readonly string[] {
  const names = new Set(
    database
      .prepare("SELECT name FROM sqlite_schema")
      .all()
      .map(({ name }) => name),
  );
  return counted.filter((table) => names.has(table));
}

/** Reads what a database holds; one that was never counted has seen no change. */
export function heldBy(database: DatabaseSync): () => StateMark {
  const select = database.prepare(
    `SELECT coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE key = '${key}'), 0) AS changes,
            (SELECT count(*) FROM nodes) AS nodes`,
  );
  return () => {
    const row = select.get() ?? {};
    return { changes: numberOf(row, "changes"), nodes: numberOf(row, "nodes") };
  };
}
