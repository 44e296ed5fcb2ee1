import type { NodeLogRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { agentRoles } from "../../../proto/node/node-codec.ts";
import type { AgentRole } from "../../../proto/system/agent-program.ts";
import { type LogLevel, logLevelFromWire } from "../../../proto/words/log-level.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** A record of a node's log as `--json` shows it. */
export interface NodeLogView {
  readonly id: number;
  /** By the controller's clock. */
  readonly time: string | null;
  /** By the node's clock. */
  readonly nodeTime: string | null;
  readonly nodeId: string;
  readonly nodeName: string | null;
  readonly agentRole: AgentRole | "unknown";
  readonly instanceId: string;
  readonly sequence: number;
  readonly missingBefore: number;
  readonly level: LogLevel | "unknown";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
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
    agentRole: agentRoles.fromWire(kept.agentRole) ?? "unknown",
    instanceId: kept.instanceId,
    sequence: toNumber(record?.sequence ?? 0n),
    missingBefore: toNumber(kept.missingBefore),
    level: logLevelFromWire(record?.level) ?? "unknown",
    message: record?.message ?? "",
    fields: toFields(record?.fieldsJson ?? ""),
    error: toText(record?.error ?? ""),
  };
}

/** The controller has checked that this is a JSON object; any other text is shown as it is. */
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
