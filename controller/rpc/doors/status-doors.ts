import { type ControllerServiceServer, type Uplink, UplinkSource } from "../../../proto/gen/pallet/v1/controller.ts";
import type { CapacitySource } from "../../uplink/capacity.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts, UplinkStatus } from "./parts.ts";

const sources = {
  configured: UplinkSource.UPLINK_SOURCE_CONFIGURED,
  cap: UplinkSource.UPLINK_SOURCE_CAP,
  link: UplinkSource.UPLINK_SOURCE_LINK,
  measured: UplinkSource.UPLINK_SOURCE_MEASURED,
  assumed: UplinkSource.UPLINK_SOURCE_ASSUMED,
} as const satisfies Record<CapacitySource, UplinkSource>;

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
    source: sources[capacity.source],
    writingNodes: writing,
    waitingNodes: waiting,
    mostWritingNodes: mostWriters ?? 0,
  };
}
