import { NodeState as WireState } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** A state by which nodes can be chosen; see pallet.v1.NodeState. */
export type NodeState =
  | "online"
  | "offline"
  | "discovered"
  | "accepted"
  | "unaccepted"
  | "proved"
  | "unproved"
  | "failed"
  | "reimaging";

/** The states as they travel. */
export const nodeStates = wireWords<NodeState, WireState>({
  online: WireState.NODE_STATE_ONLINE,
  offline: WireState.NODE_STATE_OFFLINE,
  discovered: WireState.NODE_STATE_DISCOVERED,
  accepted: WireState.NODE_STATE_ACCEPTED,
  unaccepted: WireState.NODE_STATE_UNACCEPTED,
  proved: WireState.NODE_STATE_PROVED,
  unproved: WireState.NODE_STATE_UNPROVED,
  failed: WireState.NODE_STATE_FAILED,
  reimaging: WireState.NODE_STATE_REIMAGING,
});
