import { Failure } from "../../../proto/failure.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { assertNodeChoice } from "../../nodes/choose-nodes.ts";
import type { RolloutId, RolloutRequest } from "../../reimage/plan/rollout.ts";
import { idFromWire, required } from "./text-from-wire.ts";

/** What an operator asks to reimage, checked as far as that goes without knowing nodes and images. */
export function rolloutRequestFromWire(request: wire.RolloutRequest | undefined): RolloutRequest {
  const { nodes, all, imageName, disk, noResident, full, noGrow, growToBytes } = required("rollout", request);
  assertNodeChoice({ nodes, all });
  if (noGrow && growToBytes !== 0n)
    throw new Failure("invalid", "no_grow and grow_to_bytes exclude each other: give one of them");
  return {
    nodes: [...nodes],
    all,
    ...(imageName !== "" && { imageName }),
    ...(disk !== "" && { disk }),
    ...(noResident && { noResident }),
    ...(full && { full }),
    ...(noGrow && { noGrow }),
    ...(growToBytes !== 0n && { growToBytes: Number(growToBytes) }),
  };
}

/** An id of a rollout, checked. */
export function rolloutIdFromWire(text: string): RolloutId {
  return idFromWire("rollout_id", text) as RolloutId;
}
