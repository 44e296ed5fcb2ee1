import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { invalid } from "../../refusal/refusal.ts";
import type { RolloutId, RolloutRequest } from "../../reimage/plan/rollout.ts";
import { idFromWire, required } from "./text-from-wire.ts";

/** What an operator asks to reimage, checked as far as that goes without knowing nodes and images. */
export function rolloutRequestFromWire(request: wire.RolloutRequest | undefined): RolloutRequest {
  const { nodes, all, imageName, disk, noResident, full } = required("rollout", request);
  if (all && nodes.length > 0) throw invalid("name nodes or choose all, not both");
  if (!all && nodes.length === 0) throw invalid("no node is named; name nodes, or choose all");
  return {
    nodes: [...nodes],
    all,
    ...(imageName !== "" && { imageName }),
    ...(disk !== "" && { disk }),
    ...(noResident && { noResident }),
    ...(full && { full }),
  };
}

/** An id of a rollout, checked. */
export function rolloutIdFromWire(text: string): RolloutId {
  return idFromWire("rollout_id", text) as RolloutId;
}
