import type * as wire from "../../../proto/gen/pallet/v1/log.ts";
import { agentRoles } from "../../../proto/node/node-codec.ts";
import { logLevelToWire } from "../../../proto/words/log-level.ts";
import type { NodeLogRecord } from "../../logs/node-log-record.ts";

/** Converts a record of a node's log to the wire, with the node's name. */
export function nodeLogToWire(record: NodeLogRecord, nodeName: string): wire.NodeLogRecord {
  return {
    id: BigInt(record.id),
    nodeId: record.nodeId,
    nodeName,
    instanceId: record.instanceId,
    agentRole: agentRoles.toWire(record.role),
    time: new Date(record.at),
    record: {
      sequence: BigInt(record.sequence),
      time: new Date(record.nodeTime),
      age: undefined,
      level: logLevelToWire(record.level),
      message: record.message,
      fieldsJson: record.fields ?? "",
      error: record.error ?? "",
    },
    missingBefore: BigInt(record.missingBefore),
  };
}
