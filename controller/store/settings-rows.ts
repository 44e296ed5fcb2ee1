import type { DatabaseSync } from "node:sqlite";
import { textOf } from "./row.ts";

/** Small values that outlive the process, by key. */
export interface SettingsRows {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  /** The keys that begin so. */
  keys(prefix: string): readonly string[];
}

/** Keeps settings in the table "settings". */
export function createSettingsRows(database: DatabaseSync): SettingsRows {
  const select = database.prepare("SELECT value FROM settings WHERE key = ?");
  const upsert = database.prepare(
    "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM settings WHERE key = ?");
  const beginning = database.prepare("SELECT key FROM settings WHERE substr(key, 1, length(?1)) = ?1");
  return {
    get(key) {
      const row = select.get(key);
      return row === undefined ? undefined : textOf(row, "value");
    },
    set(key, value) {
      upsert.run(key, value);
    },
    remove(key) {
      remove.run(key);
    },
    keys: (prefix) => beginning.all(prefix).map((row) => textOf(row, "key")),
  };
}
