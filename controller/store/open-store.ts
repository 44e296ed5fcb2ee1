import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure, messageOf } from "../../proto/failure.ts";
import type { EventRows } from "../events/event-log.ts";
import type { NodeLogRows } from "../logs/node-logs.ts";
import type { NodeRows } from "../nodes/node-table.ts";
import type { Journal } from "../reimage/journal.ts";
import { createEventRows } from "./event-rows.ts";
import { createJournalRows } from "./journal-rows.ts";
import { createNodeLogRows } from "./node-log-rows.ts";
import { createNodeRows } from "./node-rows.ts";
import { migrate } from "./schema.ts";
import { createSettingsRows, type SettingsRows } from "./settings-rows.ts";

/** Everything that the controller remembers over a restart. */
export interface Store {
  readonly nodes: NodeRows;
  readonly events: EventRows;
  readonly nodeLogs: NodeLogRows;
  readonly journal: Journal;
  readonly settings: SettingsRows;
  close(): void;
}

/**
 * Opens the state database, made if it is not there yet, and brings its schema up to date. ":memory:" gives one that
 * ends with the process. Throws a Failure when the file cannot be used: no rights, another controller has it, it is
 * damaged, or a newer Pallet wrote it.
 *
 * @param busyTimeoutMs for how long to wait for another process that has it open, in milliseconds
 */
export function openStore(path: string, { busyTimeoutMs = 2000 } = {}): Store {
  const database = open(path, busyTimeoutMs);
  try {
    // One owner: a second controller on the same state must fail at its start, not meet half of its changes later.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    // Racks lose power. Whatever was reported as done has to be on disk, above all boot targets and the journal.
    database.exec("PRAGMA synchronous = FULL");
    migrate(database);
    return {
      nodes: createNodeRows(database),
      events: createEventRows(database),
      nodeLogs: createNodeLogRows(database),
      journal: createJournalRows(database),
      settings: createSettingsRows(database),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw failureOf(path, error);
  }
}

function open(path: string, busyTimeoutMs: number): DatabaseSync {
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    return new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  } catch (error) {
    throw failureOf(path, error);
  }
}

function failureOf(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = messageOf(error);
  const remedy = /locked|busy/i.test(message)
    ? "another controller has it open; stop that one, or give this one another stateDirectory"
    : /malformed|not a database/i.test(message)
      ? "the file is damaged; move it away to start with an empty state, and nodes will be discovered again"
      : "make sure that stateDirectory exists and that the controller can write to it";
  return new Failure("internal", `cannot use the state database ${path}: ${message}; ${remedy}`, { cause: error });
}
