import type { DatabaseSync } from "node:sqlite";

/** Runs `act` in one transaction: all of it is on disk when this returns, or none of it when it throws. */
export function inTransaction(database: DatabaseSync, act: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    act();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
