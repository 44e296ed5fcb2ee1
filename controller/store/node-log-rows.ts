import type { DatabaseSync } from "node:sqlite";
import type { NodeId } from "../../proto/names/node-id.ts";
import { type LogLevel, logLevels } from "../../proto/words/log-level.ts";
import { fairShare } from "../events/plan-pruning.ts";
import type { NodeLogRecord } from "../logs/node-log-record.ts";
import type { NodeLogRows } from "../logs/node-logs.ts";
import { numberOf, optionalTextOf, type Row, textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";
import { withoutFlush } from "./without-flush.ts";

/**
 * How much is kept. Once the excess reaches a tenth it is deleted: the oldest of the nodes that have more than their share,
 * and of a node the oldest of its warnings or of its other records, whichever have more than half.
 */
export interface NodeLogLimits {
  readonly recordsPerNode: number;
  readonly bytesPerNode: number;
  /** Of all nodes together. */
  readonly bytes: number;
}

/** A node's log of some days; together no more than a small card can spare. */
export const nodeLogLimits: NodeLogLimits = {
  recordsPerNode: 2000,
  bytesPerNode: 1024 * 1024,
  bytes: 256 * 1024 * 1024,
};

const columns = "node_id, instance_id, role, sequence, at, node_time, level, message, fields, error, missing_before";
/** Approximate size of a row besides its texts. */
const rowBytes = 120;

interface Usage {
  readonly records: number;
  readonly bytes: number;
}

/** Warnings and worse have a place of their own: what a node chatters does not push them out. */
type Kind = "loud" | "quiet";
type NodeUsage = Readonly<Record<Kind, Usage>>;

const noUsage: NodeUsage = { loud: { records: 0, bytes: 0 }, quiet: { records: 0, bytes: 0 } };
const leastLoud = logLevels.indexOf("warn");
const isLoud = `(level >= ${leastLoud})`;

function kindOf(level: LogLevel): Kind {
  return logLevels.indexOf(level) >= leastLoud ? "loud" : "quiet";
}

/** Keeps records in the table "node_logs". */
export function createNodeLogRows(database: DatabaseSync, limits: NodeLogLimits = nodeLogLimits): NodeLogRows {
  const insert = database.prepare(
    `INSERT INTO node_logs (${columns}, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'node_logs'");
  const lastSequence = database.prepare(
    "SELECT MAX(sequence) AS sequence FROM node_logs WHERE node_id = ? AND instance_id = ?",
  );
  const usageOfAll = database.prepare(
    `SELECT node_id, ${isLoud} AS loud, COUNT(*) AS records, SUM(bytes) AS bytes FROM node_logs GROUP BY node_id, loud`,
  );
  const pruneKind = database.prepare(
    `DELETE FROM node_logs WHERE node_id = ?1 AND ${isLoud} = ?2 AND id <=
       (SELECT MAX(id) FROM
         (SELECT id, ROW_NUMBER() OVER newest AS number, SUM(bytes) OVER newest AS total
            FROM node_logs WHERE node_id = ?1 AND ${isLoud} = ?2 WINDOW newest AS (ORDER BY id DESC))
         WHERE number > ?3 OR total > ?4)`,
  );
  const usageOfKind = database.prepare(
    `SELECT COUNT(*) AS records, COALESCE(SUM(bytes), 0) AS bytes FROM node_logs WHERE node_id = ? AND ${isLoud} = ?`,
  );
  const removeNode = database.prepare("DELETE FROM node_logs WHERE node_id = ?");

  let usage = readUsage();

  function readUsage(): Map<string, NodeUsage> {
    const found = new Map<string, NodeUsage>();
    for (const row of usageOfAll.all()) {
      const nodeId = textOf(row, "node_id");
      const kind: Kind = numberOf(row, "loud") === 1 ? "loud" : "quiet";
      found.set(nodeId, { ...(found.get(nodeId) ?? noUsage), [kind]: usageIn(row) });
    }
    return found;
  }

  /** Removes the oldest of the node's records until it has no more than that; its warnings and the others share it. */
  function prune(nodeId: string, most: Usage): void {
    const before = usage.get(nodeId) ?? noUsage;
    const share = {
      records: Math.min(most.records, fairShare([before.quiet.records, before.loud.records], most.records)),
      bytes: Math.min(most.bytes, fairShare([before.quiet.bytes, before.loud.bytes], most.bytes)),
    };
    let after = before;
    for (const kind of ["quiet", "loud"] as const) {
      if (before[kind].records <= share.records && before[kind].bytes <= share.bytes) continue;
      const flag = kind === "loud" ? 1 : 0;
      pruneKind.run(nodeId, flag, share.records, share.bytes);
      const left = usageOfKind.get(nodeId, flag);
      if (left !== undefined) after = { ...after, [kind]: usageIn(left) };
    }
    usage.set(nodeId, after);
  }

  function bound(nodeId: NodeId): void {
    const { records, bytes } = totalOf(Object.values(usage.get(nodeId) ?? noUsage));
    if (records > limits.recordsPerNode * 1.1 || bytes > limits.bytesPerNode * 1.1) {
      prune(nodeId, { records: limits.recordsPerNode, bytes: limits.bytesPerNode });
    }
    const totals = [...usage].map(([id, kinds]) => [id, totalOf(Object.values(kinds))] as const);
    if (totalOf(totals.map(([, total]) => total)).bytes <= limits.bytes) return;
    // Room for a while; who has no more than his share loses nothing, whatever the others log.
    const share = fairShare(
      totals.map(([, total]) => total.bytes),
      limits.bytes * 0.9,
    );
    for (const [id, total] of totals) {
      if (total.bytes > share) prune(id, { records: limits.recordsPerNode, bytes: share });
    }
  }

  return {
    add(records) {
      if (records.length === 0) return;
      try {
        withoutFlush(database, () =>
          inTransaction(database, () => {
            for (const record of records) {
              const bytes = bytesOf(record);
              insert.run(...valuesOf(record), bytes);
              const before = usage.get(record.nodeId) ?? noUsage;
              const kind = kindOf(record.level);
              const { [kind]: sum } = before;
              usage.set(record.nodeId, {
                ...before,
                [kind]: { records: sum.records + 1, bytes: sum.bytes + bytes },
              });
            }
            for (const nodeId of new Set(records.map((record) => record.nodeId))) bound(nodeId);
          }),
        );
      } catch (error) {
        // The counted rows were rolled back.
        usage = readUsage();
        throw error;
      }
    },
    read({ afterId, nodeId, nodeIds, minLevel, count, prefer }) {
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
      if (minLevel !== undefined) {
        conditions.push("level >= ?");
        values.push(logLevels.indexOf(minLevel));
      }
      const order = prefer === "oldest" ? "ASC" : "DESC";
      const statement = database.prepare(
        `SELECT id, ${columns} FROM node_logs WHERE ${conditions.join(" AND ")} ORDER BY id ${order} LIMIT ?`,
      );
      const records = statement.all(...values, count).map(recordOf);
      return prefer === "oldest" ? records : records.reverse();
    },
    lastId() {
      const row = last.get();
      return row === undefined ? 0 : numberOf(row, "seq");
    },
    lastSequence(nodeId, instanceId) {
      const sequence = lastSequence.get(nodeId, instanceId)?.["sequence"];
      return typeof sequence === "number" ? sequence : 0;
    },
    removeNode(nodeId) {
      removeNode.run(nodeId);
      usage.delete(nodeId);
    },
  };
}

function usageIn(row: Row): Usage {
  return { records: numberOf(row, "records"), bytes: numberOf(row, "bytes") };
}

function totalOf(usages: Iterable<Usage>): Usage {
  let total: Usage = { records: 0, bytes: 0 };
  for (const { records, bytes } of usages) total = { records: total.records + records, bytes: total.bytes + bytes };
  return total;
}

function bytesOf({ message, fields = "", error = "" }: Omit<NodeLogRecord, "id">): number {
  return rowBytes + Buffer.byteLength(message) + Buffer.byteLength(fields) + Buffer.byteLength(error);
}

/** In the order of `columns`. */
function valuesOf(record: Omit<NodeLogRecord, "id">): (string | number | null)[] {
  return [
    record.nodeId,
    record.instanceId,
    record.role,
    record.sequence,
    record.at,
    record.nodeTime,
    logLevels.indexOf(record.level),
    record.message,
    record.fields ?? null,
    record.error ?? null,
    record.missingBefore,
  ];
}

function recordOf(row: Row): NodeLogRecord {
  const fields = optionalTextOf(row, "fields");
  const error = optionalTextOf(row, "error");
  return {
    id: numberOf(row, "id"),
    nodeId: textOf(row, "node_id") as NodeId,
    instanceId: textOf(row, "instance_id"),
    role: textOf(row, "role") as NodeLogRecord["role"],
    sequence: numberOf(row, "sequence"),
    at: numberOf(row, "at"),
    nodeTime: numberOf(row, "node_time"),
    level: levelOf(numberOf(row, "level")),
    message: textOf(row, "message"),
    missingBefore: numberOf(row, "missing_before"),
    ...(fields !== undefined && { fields }),
    ...(error !== undefined && { error }),
  };
}

function levelOf(rank: number): LogLevel {
  const level = logLevels[rank];
  if (level === undefined) throw new Error(`the state database contains the invalid log level ${rank}`);
  return level;
}
