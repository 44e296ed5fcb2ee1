import { LogLevel, type NodeLogRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** The levels of a log, least first, as `--level` takes them. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** A record of a node's log as `--json` shows it. */
export interface NodeLogView {
  readonly id: number;
  /** By the controller's clock. */
  readonly time: string | null;
  /** By the node's clock. */
  readonly nodeTime: string | null;
  readonly nodeId: string;
  readonly nodeName: string | null;
  readonly agentRole: "netboot" | "resident" | "unknown";
  readonly instanceId: string;
  readonly sequence: number;
  readonly missingBefore: number;
  readonly level: (typeof logLevels)[number] | "unknown";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
}

const wireLevels = {
  trace: LogLevel.LOG_LEVEL_TRACE,
  debug: LogLevel.LOG_LEVEL_DEBUG,
  info: LogLevel.LOG_LEVEL_INFO,
  warn: LogLevel.LOG_LEVEL_WARN,
  error: LogLevel.LOG_LEVEL_ERROR,
  fatal: LogLevel.LOG_LEVEL_FATAL,
} as const satisfies Record<(typeof logLevels)[number], LogLevel>;

const roles: Readonly<Record<number, NodeLogView["agentRole"]>> = {
  [AgentRole.AGENT_ROLE_NETBOOT]: "netboot",
  [AgentRole.AGENT_ROLE_RESIDENT]: "resident",
};

/** The level to ask the controller for; unspecified for none. */
export function toWireLevel(level: (typeof logLevels)[number] | undefined): LogLevel {
  return level === undefined ? LogLevel.LOG_LEVEL_UNSPECIFIED : wireLevels[level];
}

/** Converts from the wire. */
export function viewNodeLog(kept: NodeLogRecord): NodeLogView {
  const { record } = kept;
  return {
    id: toNumber(kept.id),
    time: toTime(kept.time),
    nodeTime: toTime(record?.time),
    nodeId: kept.nodeId,
    nodeName: toText(kept.nodeName),
    agentRole: roles[kept.agentRole] ?? "unknown",
    instanceId: kept.instanceId,
    sequence: toNumber(record?.sequence ?? 0n),
    missingBefore: toNumber(kept.missingBefore),
    level: logLevels.find((level) => wireLevels[level] === record?.level) ?? "unknown",
    message: record?.message ?? "",
    fields: toFields(record?.fieldsJson ?? ""),
    error: toText(record?.error ?? ""),
  };
}

/** The controller has checked that it is the text of an object; a text that is none is shown as it is. */
function toFields(text: string): NodeLogView["fields"] {
  if (text === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Shown below.
  }
  return { fieldsJson: text };
}
