import { DatabaseSync } from "node:sqlite";
import { Failure, messageOf } from "../../proto/failure.ts";
import { heldBy } from "./change-count.ts";
import { restoredKey } from "./restored-state.ts";
import { resultCode, sqlite } from "./result-code.ts";
import { numberOf, textOf } from "./row.ts";
import { migrations, schemaVersionOf } from "./schema.ts";
import type { StateMark } from "./state-mark.ts";

/** What is in a database that is about to take the place of another one. */
export interface RestoredDatabase {
  readonly mark: StateMark;
  /** Who is let in from elsewhere by it, with their roles: "ada (admin)". */
  readonly operators: readonly string[];
  /** Ids of the rollouts that had not ended. */
  readonly unended: readonly string[];
}

/**
 * Checks a database out of a backup, all of it, and notes in it that it was restored. Throws a Failure (invalid) when it is
 * damaged, another program's, or of another schema than was said.
 *
 * @param said.takenAt of which moment it is, in milliseconds since the epoch
 */
export function prepareRestored(
  path: string,
  said: { readonly schema: number; readonly takenAt: number; readonly restoredAt: number },
): RestoredDatabase {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    const found = String(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"]);
    if (found !== "ok") throw new Failure("invalid", `SQLite finds it damaged (${found})`);
    const schema = schemaVersionOf(database, migrations);
    if (schema !== said.schema) throw new Failure("invalid", `it has schema version ${schema}, not ${said.schema}`);
    // One file that holds everything.
    database.exec("PRAGMA journal_mode = DELETE");
    const value = JSON.stringify({ takenAt: said.takenAt, restoredAt: said.restoredAt });
    database.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)").run(restoredKey, value);
    return {
      mark: heldBy(database)(),
      operators: schema < operatorsSince ? [] : operatorsOf(database, said.restoredAt),
      unended: database
        .prepare("SELECT id FROM rollouts WHERE ended = 0 ORDER BY ordinal")
        .all()
        .map((row) => textOf(row, "id")),
    };
  } catch (error) {
    throw new Failure("invalid", `the database in it cannot be used: ${messageOf(error)}`, { cause: error });
  } finally {
    database?.close();
  }
}

/** The schema version that brought operators. */
const operatorsSince = 10;

function operatorsOf(database: DatabaseSync, now: number): readonly string[] {
  const rows = database
    .prepare("SELECT name, role, expires_at FROM operators WHERE revoked_at IS NULL ORDER BY name")
    .all();
  return rows.flatMap((row) =>
    numberOf(row, "expires_at") > now ? [`${textOf(row, "name")} (${textOf(row, "role")})`] : [],
  );
}

/** Throws a Failure when a controller has the database open. One that is not there, or is damaged, nobody has. */
export function assertNotOpen(path: string): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 500 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE");
    database.exec("ROLLBACK");
  } catch (error) {
    const code = resultCode(error);
    if (code !== sqlite.busy && code !== sqlite.locked) return;
    throw new Failure(
      "invalid",
      `a controller has ${path} open: stop it first (systemctl stop pallet-controller), and start it afterwards`,
      { cause: error },
    );
  } finally {
    database?.close();
  }
}
