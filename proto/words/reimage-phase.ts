import { ReimagePhase as WirePhase } from "../gen/pallet/v1/rollout.ts";
import { wireWords } from "./wire-words.ts";

/** Where one node's reimage stands; see pallet.v1.ReimagePhase. */
export type ReimagePhase =
  | "queued"
  | "preparing"
  | "netbooting"
  | "checking"
  | "waiting"
  | "writing"
  | "rebooting"
  | "proving"
  | "proved"
  | "failed"
  | "cancelled";

/** The phases as they travel. */
export const reimagePhases = wireWords<ReimagePhase, WirePhase>({
  queued: WirePhase.REIMAGE_PHASE_QUEUED,
  preparing: WirePhase.REIMAGE_PHASE_PREPARING,
  netbooting: WirePhase.REIMAGE_PHASE_NETBOOTING,
  checking: WirePhase.REIMAGE_PHASE_CHECKING,
  waiting: WirePhase.REIMAGE_PHASE_WAITING_TO_WRITE,
  writing: WirePhase.REIMAGE_PHASE_WRITING,
  rebooting: WirePhase.REIMAGE_PHASE_REBOOTING,
  proving: WirePhase.REIMAGE_PHASE_PROVING,
  proved: WirePhase.REIMAGE_PHASE_PROVED,
  failed: WirePhase.REIMAGE_PHASE_FAILED,
  cancelled: WirePhase.REIMAGE_PHASE_CANCELLED,
});
