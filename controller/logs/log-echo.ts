import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeLogRecord } from "./node-log-record.ts";

/** The controller's own log, where it echoes the nodes' logs. */
export interface EchoLog {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Echoes the important records of the nodes' logs in the controller's own. */
export interface LogEcho {
  tell(node: Pick<Node, "id" | "name">, record: Pick<NodeLogRecord, "level" | "message" | "fields" | "error">): void;
  forget(id: NodeId): void;
}

const windowMs = 60_000;

/** Echoes warnings and worse, at most `mostPerMinute` per node: a node in trouble must not drown out the others. */
export function createLogEcho(options: {
  readonly log: EchoLog;
  /** Monotonic. */
  readonly clock: Pick<Clock, "now">;
  readonly mostPerMinute?: number;
}): LogEcho {
  const { log, clock, mostPerMinute = 20 } = options;
  const told = new Map<NodeId, { startedAt: number; count: number }>();

  /** How many of this node were told in this minute, this one included. */
  const count = (id: NodeId): number => {
    const now = clock.now();
    let window = told.get(id);
    if (window === undefined || now - window.startedAt >= windowMs) {
      window = { startedAt: now, count: 0 };
      told.set(id, window);
    }
    window.count += 1;
    return window.count;
  };

  return {
    tell({ id, name }, { level, message, fields, error }) {
      if (level !== "warn" && level !== "error" && level !== "fatal") return;
      const number = count(id);
      if (number > mostPerMinute + 1) return;
      if (number > mostPerMinute) {
        const command = `controller node logs ${name} --level warn`;
        log.warn(
          { node: name },
          `the agent of ${name} logged more warnings in this minute; see all of them with "${command}"`,
        );
        return;
      }
      const details = { node: name, ...(fields !== undefined && { fields }), ...(error !== undefined && { error }) };
      log[level === "warn" ? "warn" : "error"](details, `the agent of ${name}: ${message}`);
    },
    forget(id) {
      told.delete(id);
    },
  };
}
