import type { DatabaseSync } from "node:sqlite";
import type { HookCall } from "../hooks/hook.ts";
import type { HookRows } from "../hooks/hook-queue.ts";
import { textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";

/** Keeps the hooks that are still to run in the table "queued_hooks", each as JSON. */
export function createHookRows(database: DatabaseSync): HookRows {
  const select = database.prepare("SELECT call FROM queued_hooks ORDER BY ordinal");
  const insert = database.prepare("INSERT INTO queued_hooks (id, call) VALUES (?, ?) ON CONFLICT (id) DO NOTHING");
  const remove = database.prepare("DELETE FROM queued_hooks WHERE id = ?");
  return {
    list: () => select.all().map((row) => JSON.parse(textOf(row, "call")) as HookCall),
    add(calls) {
      inTransaction(database, () => {
        for (const call of calls) insert.run(call.id, JSON.stringify(call));
      });
    },
    remove(id) {
      remove.run(id);
    },
  };
}
