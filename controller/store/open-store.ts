import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { Failure } from "../../proto/failure.ts";
import type { EventRows } from "../events/event-log.ts";
import type { HookRows } from "../hooks/hook-queue.ts";
import type { IdentityRows } from "../identity/identity-rows.ts";
import type { NodeLogRows } from "../logs/node-logs.ts";
import type { NodeRows } from "../nodes/node-table.ts";
import type { Journal } from "../reimage/journal.ts";
import { countChanges, countedTables, heldBy } from "./change-count.ts";
import { copyBeforeMigration } from "./copy-before-migration.ts";
import { copyNodes, copyPathOf, findCopy } from "./copy-nodes.ts";
import { createEventRows } from "./event-rows.ts";
import { type Beside, describeDamage, describeEmptied, explainOpenFailure } from "./explain-open-failure.ts";
import { createHookRows } from "./hook-rows.ts";
import { createIdentityRows } from "./identity-rows.ts";
import { createJournalRows } from "./journal-rows.ts";
import { judgeState } from "./judge-state.ts";
import { createNodeLogRows } from "./node-log-rows.ts";
import { createNodeRows } from "./node-rows.ts";
import { createOwnFile, protectState } from "./protect-state.ts";
import { migrate, migrations } from "./schema.ts";
import { createSettingsRows, type SettingsRows } from "./settings-rows.ts";
import { markPathOf, openMark, readMark, type StateMark } from "./state-mark.ts";
import { createWriteWatch } from "./write-watch.ts";

/** Everything that the controller remembers over a restart. */
export interface Store {
  readonly nodes: NodeRows;
  readonly events: EventRows;
  readonly nodeLogs: NodeLogRows;
  readonly journal: Journal;
  readonly settings: SettingsRows;
  readonly hooks: HookRows;
  readonly identity: IdentityRows;
  /** Why the disk takes nothing now, for a person; tries whether it still is so. Undefined while it does. */
  trouble(): string | undefined;
  /** How many of the last changes the database had lost when it was opened. */
  readonly lostChanges: number;
  /**
   * Moves what is in the write-ahead log into the database: then that file alone holds everything. Call it now and
   * then. Throws an Error when the disk does not take it; nothing is lost by that.
   */
  checkpoint(): void;
  /** Copies the nodes to a file beside the database if they have changed since the last copy. Throws as above. */
  backUp(): void;
  /** How many of the schema's steps the database has seen: all. */
  readonly schemaVersion: number;
  /**
   * Copies the whole database, as it is at one moment, to a new file of its owner's alone, while it is used. Rejects with the error
   * of SQLite or of the system call.
   */
  copyTo(path: string): Promise<void>;
  close(): void;
}

/** How many pages are copied before others get their turn: 400 KiB, which take milliseconds. */
const pagesAtOnce = 100;

/**
 * Opens the state database, made if it is not there yet, and brings its schema up to date. ":memory:" gives one that
 * ends with the process. Throws a Failure, with the file and the remedy, when it cannot be used: no rights, another
 * controller has it, it is damaged, a newer Pallet wrote it, it is not Pallet's, or it is empty where there was a rack.
 *
 * @param busyTimeoutMs for how long to wait for another process that has it open, in milliseconds
 */
export function openStore(path: string, { busyTimeoutMs = 2000 } = {}): Store {
  const beside = { mark: markPathOf(path) };
  let database: DatabaseSync | undefined;
  try {
    const mark = path === ":memory:" ? undefined : prepareFolder(path);
    database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    // One owner: a second controller on the same state must fail at its start, not meet half of its changes later.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    assertPallets(database);
    // Before anything is written: what is missing may still be put back.
    const verdict = judgeState(mark, readMarkOf(database));
    if (verdict.kind === "emptied") throw describeEmptied(path, verdict.nodes, besideOf(path));
    assertSound(database, path);
    database.exec("PRAGMA journal_mode = WAL");
    // Racks lose power. Whatever was reported as done has to be on disk, above all boot targets and the journal.
    database.exec("PRAGMA synchronous = FULL");
    if (path !== ":memory:") copyBeforeMigration(database, path);
    migrate(database);
    return storeOver(database, path, verdict.kind === "lost" ? verdict.changes : 0);
  } catch (error) {
    database?.close();
    throw explainOpenFailure(path, error, path === ":memory:" ? beside : besideOf(path));
  }
}

function storeOver(database: DatabaseSync, path: string, lostChanges: number): Store {
  const held = countChanges(database);
  const watch = createWriteWatch(path === ":memory:" ? undefined : dirname(path));
  const markFile = path === ":memory:" ? undefined : watch.guard(openMark(markPathOf(path)), ["write", "flush"]);
  let copied: number | undefined;
  /** Whether anything was written since the last checkpoint: a controller that idles leaves the disk alone. */
  let isDirty = true;
  const wrote = (): void => {
    isDirty = true;
  };
  const changed = (): void => {
    isDirty = true;
    try {
      markFile?.write(held());
    } catch {
      // The change itself is on disk. The next checkpoint writes the mark again, and throws what is in its way.
    }
  };
  const moves = {
    checkpoint() {
      if (!isDirty) return;
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      markFile?.write(held());
      markFile?.flush();
      isDirty = false;
    },
    backUp() {
      const { changes, nodes } = held();
      if (markFile === undefined || nodes === 0 || changes === copied) return;
      copyNodes(database, copyPathOf(path));
      copied = changes;
    },
    // A value that stays the same would not be written.
    probe: () => void database.exec("UPDATE settings SET value = value + 1 WHERE key = 'changes'"),
  };
  const { checkpoint, backUp, probe } = watch.guard(moves, ["checkpoint", "backUp", "probe"]);
  // A database that was just made, or that a crash left in its log, is whole from the start.
  checkpoint();
  return {
    nodes: watch.guard(createNodeRows(database), ["save", "saveAll", "remove"], changed),
    events: watch.guard(createEventRows(database), ["add", "cut"], wrote),
    nodeLogs: watch.guard(createNodeLogRows(database), ["add", "removeNode"], wrote),
    journal: watch.guard(createJournalRows(database), ["create", "saveRollout", "saveReimage"], changed),
    settings: watch.guard(createSettingsRows(database), ["set", "remove"], changed),
    hooks: watch.guard(createHookRows(database), ["add", "remove"], wrote),
    identity: watch.guard(
      watch.guard(createIdentityRows(database), ["saveOperator", "removeOperator"], changed),
      ["saveUsedToken", "saveNodeCertificate"],
      wrote,
    ),
    trouble: () => watch.look(probe),
    lostChanges,
    checkpoint,
    backUp,
    schemaVersion: migrations.length,
    async copyTo(to) {
      createOwnFile(to);
      // In steps, between which the controller goes on.
      await backup(database, to, { rate: pagesAtOnce });
    },
    close() {
      try {
        markFile?.flush();
      } finally {
        markFile?.close();
        database.close();
      }
    },
  };
}

/** Makes the folder, and reads the mark. Throws when there is no database where the mark says that there was one. */
function prepareFolder(path: string): StateMark | undefined {
  protectState(path);
  const mark = readMark(markPathOf(path));
  const isThere = existsSync(path);
  if (mark !== undefined && mark.nodes > 0 && !isThere) throw describeEmptied(path, mark.nodes, besideOf(path));
  createOwnFile(path);
  return mark;
}

function besideOf(path: string): Beside {
  const copy = findCopy(path);
  return { mark: markPathOf(path), ...(copy !== undefined && { copy }) };
}

/** Throws a Failure when another program's database is in the place of ours. */
function assertPallets(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  const names = tables.all().map(({ name }) => String(name));
  if (names.length === 0 || names.includes("nodes")) return;
  throw new Failure(
    "invalid",
    `it is another program's database (its tables: ${names.slice(0, 5).join(", ")}); point stateDirectory at another folder`,
  );
}

/** What the database says of itself, before its schema is brought up to date. */
function readMarkOf(database: DatabaseSync): StateMark {
  const tables = new Set(
    database
      .prepare("SELECT name FROM sqlite_schema")
      .all()
      .map(({ name }) => name),
  );
  if (!tables.has("nodes") || !tables.has("settings")) return { changes: 0, nodes: 0 };
  return heldBy(database)();
}

/** Throws a Failure when what must not be lost is damaged. Events and logs may be large, and are not looked at. */
function assertSound(database: DatabaseSync, path: string): void {
  for (const table of countedTables(database)) {
    const [row] = database.prepare(`PRAGMA quick_check(${table})`).all();
    const found = String(row?.["quick_check"] ?? "ok");
    if (found !== "ok") throw new Failure("internal", describeDamage(path, found, besideOf(path)));
  }
}
