import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { LogLevel as WireLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { logLevelFromWire } from "../../../proto/words/log-level.ts";
import type { NodeLogSelection } from "../../logs/node-logs.ts";
import { invalid } from "../../refusal/refusal.ts";
import { nodeLogToWire } from "../wire/node-log-to-wire.ts";
import { type CallContext, type CallHost, handleServerStream } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** The door to the logs of nodes. */
export function createNodeLogDoors(
  host: CallHost,
  { nodeLogs, nodes }: Pick<ControllerParts, "nodeLogs" | "nodes">,
): Pick<wire.ControllerServiceServer, "streamNodeLogs"> {
  async function* stream(
    { afterId, follow, node, nodeIds, minLevel, limit }: wire.StreamNodeLogsRequest,
    { signal }: CallContext,
  ): AsyncGenerator<wire.StreamNodeLogsResponse> {
    const level = logLevelFromWire(minLevel);
    if (level === undefined && minLevel !== WireLevel.LOG_LEVEL_UNSPECIFIED) {
      throw invalid(`min_level is ${minLevel}; give a value of LogLevel`);
    }
    const selection: NodeLogSelection = {
      afterId: Number(afterId),
      limit,
      ...(node !== "" && { nodeId: nodes.require(node).id }),
      ...(nodeIds.length > 0 && { nodeIds: nodeIds.map((id) => nodes.require(id).id) }),
      ...(level !== undefined && { minLevel: level }),
    };
    const chosen = follow ? nodeLogs.follow(selection, signal) : nodeLogs.list(selection);
    for await (const record of chosen) {
      yield { record: nodeLogToWire(record, nodes.get(record.nodeId)?.name ?? "") };
    }
  }

  return { streamNodeLogs: handleServerStream(host, stream) };
}
