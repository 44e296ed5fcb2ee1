import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { rootToWire } from "../wire/root-to-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** The doors to the versions of the root filesystem. */
export function createRootDoors(
  host: CallHost,
  { roots, events }: Pick<ControllerParts, "roots" | "events">,
): Pick<wire.ControllerServiceServer, "listRoots" | "removeRoot"> {
  return {
    listRoots: handleUnary(host, async (_request: wire.ListRootsRequest) => ({
      roots: (await roots.list()).map(rootToWire),
    })),

    removeRoot: handleUnary(host, async ({ id, force }: wire.RemoveRootRequest) => {
      await roots.remove(id, { force });
      const message = `version ${id} of the root filesystem was removed`;
      events.append({ type: "root-removed", severity: "info", message });
      return {};
    }),
  };
}
