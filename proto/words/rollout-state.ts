import { RolloutState as WireState } from "../gen/pallet/v1/rollout.ts";
import { wireWords } from "./wire-words.ts";

/** Where a rollout stands; see pallet.v1.RolloutState. */
export type RolloutState = "running" | "succeeded" | "failed" | "cancelled";

/** The states as they travel. */
export const rolloutStates = wireWords<RolloutState, WireState>({
  running: WireState.ROLLOUT_STATE_RUNNING,
  succeeded: WireState.ROLLOUT_STATE_SUCCEEDED,
  failed: WireState.ROLLOUT_STATE_FAILED,
  cancelled: WireState.ROLLOUT_STATE_CANCELLED,
});
