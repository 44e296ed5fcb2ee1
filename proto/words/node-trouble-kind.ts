import { NodeTroubleKind as WireKind } from "../gen/pallet/v1/controller.ts";
import { wireWords } from "./wire-words.ts";

/** What keeps a node from being heard; see pallet.v1.NodeTroubleKind. */
export type NodeTroubleKind = "registration-refused" | "boot-loop" | "transfers-die" | "not-up";

/** The kinds of trouble as they travel. */
export const nodeTroubleKinds = wireWords<NodeTroubleKind, WireKind>({
  "registration-refused": WireKind.NODE_TROUBLE_KIND_REGISTRATION_REFUSED,
  "boot-loop": WireKind.NODE_TROUBLE_KIND_BOOT_LOOP,
  "transfers-die": WireKind.NODE_TROUBLE_KIND_TRANSFERS_DIE,
  "not-up": WireKind.NODE_TROUBLE_KIND_NOT_UP,
});
