import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../proto/failure.ts";
import { inTransaction } from "./transaction.ts";

/**
 * The schema as a list of steps: the database's user_version counts how many of them it has seen. Steps are only ever
 * appended; one that was released is never edited.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE nodes (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
     boot_target TEXT NOT NULL CHECK (boot_target IN ('agent', 'local')),
     boot_image_digest TEXT CHECK ((boot_target = 'local') = (boot_image_digest IS NOT NULL)),
     address TEXT,
     facts TEXT CHECK (facts IS NULL OR json_valid(facts)),
     agent TEXT CHECK (agent IS NULL OR json_valid(agent)),
     last_seen_at INTEGER NOT NULL,
     agent_seen_at INTEGER,
     boot_stage_path TEXT,
     boot_stage_at INTEGER,
     discovered_at INTEGER NOT NULL,
     proved_image_name TEXT,
     proved_image_digest TEXT
   ) STRICT;
   CREATE TABLE events (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     type TEXT NOT NULL,
     severity TEXT NOT NULL,
     node_id TEXT,
     node_name TEXT,
     rollout_id TEXT,
     message TEXT NOT NULL
   ) STRICT;
   CREATE INDEX events_by_node ON events (node_id, id) WHERE node_id IS NOT NULL;
   CREATE INDEX events_by_rollout ON events (rollout_id, id) WHERE rollout_id IS NOT NULL;
   CREATE TABLE rollouts (
     ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
     record TEXT NOT NULL CHECK (json_valid(record))
   ) STRICT;
   CREATE TABLE reimages (
     ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     rollout_id TEXT NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,
     state TEXT NOT NULL CHECK (json_valid(state))
   ) STRICT;
   CREATE INDEX reimages_by_rollout ON reimages (rollout_id);
   CREATE TABLE settings (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT;`,
  "ALTER TABLE nodes ADD COLUMN proved_weakly INTEGER NOT NULL DEFAULT 0 CHECK (proved_weakly IN (0, 1))",
  // "level" is the place in the list of levels; "bytes" is what the row counts towards the limits of the logs.
  `CREATE TABLE node_logs (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     node_id TEXT NOT NULL,
     instance_id TEXT NOT NULL,
     role TEXT NOT NULL,
     sequence INTEGER NOT NULL,
     at INTEGER NOT NULL,
     node_time INTEGER NOT NULL,
     level INTEGER NOT NULL,
     message TEXT NOT NULL,
     fields TEXT,
     error TEXT,
     missing_before INTEGER NOT NULL,
     bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX node_logs_by_node ON node_logs (node_id, id, bytes);`,
  "ALTER TABLE nodes ADD COLUMN installation TEXT CHECK (installation IS NULL OR json_valid(installation))",
  "ALTER TABLE nodes ADD COLUMN labels TEXT CHECK (labels IS NULL OR json_valid(labels))",
  "ALTER TABLE nodes ADD COLUMN boot_address TEXT",
  "ALTER TABLE nodes ADD COLUMN boots TEXT CHECK (boots IS NULL OR json_valid(boots))",
  "ALTER TABLE nodes ADD COLUMN board TEXT CHECK (board IS NULL OR json_valid(board))",
  // "author" is a Caller; "author_name" is what it is found by. Both are absent in events from before this step.
  `ALTER TABLE events ADD COLUMN author TEXT CHECK (author IS NULL OR json_valid(author));
   ALTER TABLE events ADD COLUMN asked_from TEXT;`,
  `CREATE TABLE operators (
     name TEXT PRIMARY KEY,
     role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
     fingerprint TEXT NOT NULL,
     authority TEXT NOT NULL,
     added_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     revoked_at INTEGER
   ) STRICT;
   CREATE TABLE used_tokens (
     id TEXT PRIMARY KEY,
     key_hash TEXT NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX used_tokens_by_end ON used_tokens (expires_at);
   CREATE TABLE node_certificates (
     node_id TEXT NOT NULL,
     role TEXT NOT NULL CHECK (role IN ('netboot', 'resident')),
     authority TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     PRIMARY KEY (node_id, role)
   ) STRICT;
   CREATE INDEX node_certificates_by_end ON node_certificates (expires_at);`,
  `CREATE TABLE queued_hooks (
     ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     call TEXT NOT NULL CHECK (json_valid(call))
   ) STRICT;`,
  "ALTER TABLE nodes ADD COLUMN node_index INTEGER",
];

/**
 * Brings a database to the newest schema, each step with its version number in one transaction.
 * Throws a Failure when the database was written by a newer Pallet.
 */
export function migrate(database: DatabaseSync, steps: readonly string[] = migrations): void {
  const found = schemaVersionOf(database, steps);
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    inTransaction(database, () => {
      database.exec(step);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** How many of the steps a database has seen. Throws a Failure when it was written by a newer Pallet. */
export function schemaVersionOf(database: DatabaseSync, steps: readonly string[] = migrations): number {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (found <= steps.length) return found;
  throw new Failure(
    "invalid",
    `the state database has schema version ${found}, but this Pallet only knows versions up to ${steps.length}: ` +
      "it was written by a newer Pallet; run that one, or point stateDirectory at another folder",
  );
}
