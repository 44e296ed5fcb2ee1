import { BootTarget as WireTarget } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** Where a node's next boot goes; see pallet.v1.BootTarget. */
export type BootTargetKind = "agent" | "local";

/** Boot targets as they travel. */
export const bootTargets = wireWords<BootTargetKind, WireTarget>({
  agent: WireTarget.BOOT_TARGET_AGENT,
  local: WireTarget.BOOT_TARGET_LOCAL,
});
