import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeChangeListener } from "../nodes/node-change.ts";
import { createRecordReader, type RecordPage, type RecordSpan } from "../records/record-reader.ts";
import { createLogEcho, type EchoLog } from "./log-echo.ts";
import { createLogQuota, type LogCost } from "./log-quota.ts";
import type { LogReport, NodeLogFilter, NodeLogRecord } from "./node-log-record.ts";

/** The logs of nodes on disk. */
export interface NodeLogRows {
  /**
   * Adds records, all or none. They survive the death of this process at once, a power cut only after the next change
   * that is durable.
   */
  add(records: readonly Omit<NodeLogRecord, "id">[]): void;
  /** Oldest first. */
  read(query: NodeLogFilter & RecordPage): NodeLogRecord[];
  /** Id of the newest record ever added; 0 before the first. */
  lastId(): number;
  /** The greatest sequence number that is kept of an instance; 0 where none is. */
  lastSequence(nodeId: NodeId, instanceId: string): number;
  removeNode(nodeId: NodeId): void;
}

/** Which records to return. */
export type NodeLogSelection = NodeLogFilter & RecordSpan;

/**
 * What the agents of all nodes have logged, in the order in which it arrived, kept over restarts and bounded in size.
 */
export interface NodeLogs {
  /**
   * Whether a batch of this instance of an agent is taken now, by the node's quota. To be asked before anything is done
   * with the batch; `report` then takes it. Throws a Refusal (not-found) as `report` does.
   */
  admits(id: NodeId, instanceId: string, cost: LogCost): boolean;
  /**
   * Takes in a batch; records that are there already are left out. Throws a Refusal (not-found) when this instance of
   * the agent has not registered here.
   */
  report(report: LogReport): void;
  /** Records that exist, read from disk page by page as the caller takes them. */
  list(selection: NodeLogSelection): Iterable<NodeLogRecord>;
  /** Records that exist and then those to come, none missing and none twice, until `signal` aborts. */
  follow(selection: NodeLogSelection, signal: AbortSignal): AsyncIterable<NodeLogRecord>;
}

/** How far the log of a node's present agent has come. */
interface Position {
  readonly instanceId: string;
  readonly lastSequence: number;
  readonly droppedCount: number;
}

/** How often it is told that a node goes on logging too much, in milliseconds. */
const floodEveryMs = 600_000;

/** Keeps the logs in `rows`. Warnings and worse are also echoed to `log`, a few per node and minute. */
export function createNodeLogs(options: {
  readonly rows: NodeLogRows;
  readonly nodes: {
    requireAgent(id: NodeId, instanceId: string): Node;
    onChange(listener: NodeChangeListener): () => void;
  };
  readonly clock: Pick<Clock, "now">;
  /** For quotas, which a clock that is set must neither give nor take away. */
  readonly monotonic: Pick<Clock, "now">;
  readonly log: EchoLog;
}): NodeLogs {
  const { rows, nodes, clock, monotonic, log } = options;
  const quota = createLogQuota(monotonic);
  /** When it was last told that the node logs too much, by `monotonic`. */
  const floods = new Map<NodeId, number>();
  const reader = createRecordReader<NodeLogRecord, NodeLogFilter>(rows);
  const echo = createLogEcho({ log, clock: monotonic });
  const positions = new Map<NodeId, Position>();

  nodes.onChange(({ node, cause }) => {
    if (cause !== "forgotten") return;
    positions.delete(node.id);
    echo.forget(node.id);
    quota.forget(node.id);
    floods.delete(node.id);
    rows.removeNode(node.id);
  });

  const positionOf = (id: NodeId, instanceId: string): Position => {
    const known = positions.get(id);
    if (known?.instanceId === instanceId) return known;
    return { instanceId, lastSequence: rows.lastSequence(id, instanceId), droppedCount: 0 };
  };

  return {
    admits(id, instanceId, cost) {
      const { name } = nodes.requireAgent(id, instanceId);
      if (quota.admits(id, cost)) return true;
      const at = monotonic.now();
      if (at - (floods.get(id) ?? Number.NEGATIVE_INFINITY) >= floodEveryMs) {
        floods.set(id, at);
        log.warn(
          { node: name },
          `the agent of ${name} logs more than a node may (${limits.logs.recordsPerSecond.most} records or ` +
            `${limits.logs.charactersPerSecond.most} characters a second): the rest waits on the node, and is lost there ` +
            "when it does not stop",
        );
      }
      return false;
    },

    report({ id, instanceId, records, droppedCount }) {
      const node = nodes.requireAgent(id, instanceId);
      const now = clock.now();
      const before = positionOf(id, instanceId);
      let { lastSequence } = before;
      const fresh: Omit<NodeLogRecord, "id">[] = [];
      for (const { ageMs, ...record } of records) {
        if (record.sequence <= lastSequence) continue;
        fresh.push({
          ...record,
          nodeId: id,
          instanceId,
          role: node.agent?.role ?? "netboot",
          at: now - ageMs,
          missingBefore: record.sequence - lastSequence - 1,
        });
        lastSequence = record.sequence;
      }
      rows.add(fresh);
      positions.set(id, { instanceId, lastSequence, droppedCount });
      if (droppedCount > before.droppedCount) {
        log.warn(
          { node: node.name, droppedCount },
          `the agent of ${node.name} ran out of room for its log before it was fetched: some records are lost`,
        );
      }
      for (const record of fresh) echo.tell(node, record);
      if (fresh.length > 0) reader.added();
    },

    list: ({ afterId = 0, limit = 0, ...filter }) => reader.list(filter, { afterId, limit }),
    follow: ({ afterId = 0, limit = 0, ...filter }, signal) => reader.follow(filter, { afterId, limit }, signal),
  };
}
