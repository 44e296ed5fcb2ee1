import { RootState as WireState } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** Why a version of the root filesystem is there; see pallet.v1.RootState. */
export type RootState = "current" | "in-use" | "kept" | "removable";

/** The states as they travel. */
export const rootStates = wireWords<RootState, WireState>({
  current: WireState.ROOT_STATE_CURRENT,
  "in-use": WireState.ROOT_STATE_IN_USE,
  kept: WireState.ROOT_STATE_KEPT,
  removable: WireState.ROOT_STATE_REMOVABLE,
});
