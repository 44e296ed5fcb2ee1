import type { ControllerServiceServer } from "../../proto/gen/pallet/v1/controller.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** The doors to the controller itself. */
export function createStatusDoors(
  host: CallHost,
  { status }: Pick<ControllerParts, "status">,
): Pick<ControllerServiceServer, "getStatus"> {
  return {
    getStatus: handleUnary(host, () => {
      const { startedAt, ...rest } = status();
      return { ...rest, startedAt: new Date(startedAt) };
    }),
  };
}
