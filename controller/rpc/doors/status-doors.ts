import type { ControllerServiceServer, Uplink } from "../../../proto/gen/pallet/v1/controller.ts";
import { uplinkSources } from "../../../proto/words/uplink-source.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts, UplinkStatus } from "./parts.ts";

/** The doors to the controller itself. */
export function createStatusDoors(
  host: CallHost,
  { status }: Pick<ControllerParts, "status">,
): Pick<ControllerServiceServer, "getStatus"> {
  return {
    getStatus: handleUnary(host, () => {
      const { startedAt, uplink, waitingFor, ...rest } = status();
      return { ...rest, startedAt: new Date(startedAt), uplink: uplinkToWire(uplink), waitingFor: [...waitingFor] };
    }),
  };
}

function uplinkToWire({ bytesPerSecond, capacity, writing, waiting, mostWriters }: UplinkStatus): Uplink {
  return {
    bytesPerSecond: BigInt(Math.round(bytesPerSecond)),
    capacityBytesPerSecond: BigInt(Math.round(capacity.bytesPerSecond ?? 0)),
    source: uplinkSources.toWire(capacity.source),
    writingNodes: writing,
    waitingNodes: waiting,
    mostWritingNodes: mostWriters ?? 0,
  };
}
