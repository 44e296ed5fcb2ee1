import { ConfigurationState as WireState } from "../gen/pallet/v1/rollout.ts";
import { wireWords } from "./wire-words.ts";

/** Where the tasks of a proved node stand; see pallet.v1.ConfigurationState. */
export type ConfigurationState = "running" | "configured" | "failed" | "cancelled";

/** The states as they travel. */
export const configurationStates = wireWords<ConfigurationState, WireState>({
  running: WireState.CONFIGURATION_STATE_RUNNING,
  configured: WireState.CONFIGURATION_STATE_CONFIGURED,
  failed: WireState.CONFIGURATION_STATE_FAILED,
  cancelled: WireState.CONFIGURATION_STATE_CANCELLED,
});
