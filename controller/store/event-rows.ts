import type { DatabaseSync } from "node:sqlite";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Caller } from "../callers/caller.ts";
import type { Event, EventType } from "../events/event.ts";
import type { EventRows } from "../events/event-log.ts";
import { numberOf, optionalTextOf, type Row, textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";
import { withoutFlush } from "./without-flush.ts";

const columns = "id, at, type, severity, node_id, node_name, rollout_id, message, author, asked_from";

/** Keeps events in the table "events". */
export function createEventRows(database: DatabaseSync): EventRows {
  const insert = database.prepare(
    `INSERT INTO events (at, type, severity, node_id, node_name, rollout_id, message, author, asked_from)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const tally = database.prepare(
    "SELECT type, node_id, COUNT(*) AS count FROM events GROUP BY type, node_id ORDER BY type, node_id",
  );
  const cutOf = (whose: string) => {
    const kind = `${whose} AND type IN (SELECT value FROM json_each(:types))`;
    return database.prepare(
      `DELETE FROM events WHERE ${kind}
         AND id <= (SELECT id FROM events WHERE ${kind} ORDER BY id DESC LIMIT 1 OFFSET :keep)`,
    );
  };
  const cutOfNode = cutOf("node_id = :node");
  const cutOfNobody = cutOf("node_id IS NULL");
  return {
    add(event) {
      return withoutFlush(database, () => {
        const { lastInsertRowid } = insert.run(
          event.at,
          event.type,
          event.severity,
          event.nodeId ?? null,
          event.nodeName ?? null,
          event.rolloutId ?? null,
          event.message,
          event.by === undefined ? null : JSON.stringify(event.by),
          event.from ?? null,
        );
        return Number(lastInsertRowid);
      });
    },
    read({ afterId, nodeId, nodeIds, rolloutId, by, count, prefer }) {
      const conditions = ["id > ?"];
      const values: (string | number)[] = [afterId];
      if (nodeId !== undefined) {
        conditions.push("node_id = ?");
        values.push(nodeId);
      }
      if (nodeIds !== undefined) {
        conditions.push("node_id IN (SELECT value FROM json_each(?))");
        values.push(JSON.stringify(nodeIds));
      }
      if (rolloutId !== undefined) {
        conditions.push("rollout_id = ?");
        values.push(rolloutId);
      }
      if (by !== undefined) {
        const fits = Object.entries(by);
        // The names are those of AuthorFilter, which are those of Caller.
        conditions.push(`(${fits.map(([name]) => `json_extract(author, '$.${name}') = ?`).join(" OR ")})`);
        values.push(...fits.map(([, value]) => value));
      }
      const order = prefer === "oldest" ? "ASC" : "DESC";
      const statement = database.prepare(
        `SELECT ${columns} FROM events WHERE ${conditions.join(" AND ")} ORDER BY id ${order} LIMIT ?`,
      );
      const events = statement.all(...values, count).map(eventOf);
      return prefer === "oldest" ? events : events.reverse();
    },
    lastId() {
      const row = last.get();
      return row === undefined ? 0 : numberOf(row, "seq");
    },
    tally: () =>
      tally.all().map((row) => {
        const nodeId = optionalTextOf(row, "node_id") as NodeId | undefined;
        return {
          type: textOf(row, "type"),
          count: numberOf(row, "count"),
          ...(nodeId !== undefined && { nodeId }),
        };
      }),
    cut(cuts) {
      withoutFlush(database, () =>
        inTransaction(database, () => {
          for (const { types, nodeId, keep } of cuts) {
            const which = { types: JSON.stringify(types), keep };
            if (nodeId === undefined) cutOfNobody.run(which);
            else cutOfNode.run({ ...which, node: nodeId });
          }
        }),
      );
    },
  };
}

function eventOf(row: Row): Event {
  const nodeId = optionalTextOf(row, "node_id") as NodeId | undefined;
  const nodeName = optionalTextOf(row, "node_name");
  const rolloutId = optionalTextOf(row, "rollout_id");
  const author = optionalTextOf(row, "author");
  const from = optionalTextOf(row, "asked_from");
  return {
    id: numberOf(row, "id"),
    at: numberOf(row, "at"),
    type: textOf(row, "type") as EventType,
    severity: textOf(row, "severity") as Event["severity"],
    message: textOf(row, "message"),
    ...(nodeId !== undefined && { nodeId }),
    ...(nodeName !== undefined && { nodeName }),
    ...(rolloutId !== undefined && { rolloutId }),
    ...(author !== undefined && { by: JSON.parse(author) as Caller }),
    ...(from !== undefined && { from }),
  };
}
