import { ReimageVerdict as WireVerdict } from "../gen/pallet/v1/rollout.ts";
import { wireWords } from "./wire-words.ts";

/** What is known of the card of a node whose reimage has not proved it. */
export type CardVerdict = "untouched" | "no-system" | "unproved" | "unknown";

/** What a reimage that failed or was cancelled left on the card; see pallet.v1.ReimageVerdict. */
export type ReimageVerdict = CardVerdict | "proved-late";

/** The verdicts as they travel. */
export const reimageVerdicts = wireWords<ReimageVerdict, WireVerdict>({
  untouched: WireVerdict.REIMAGE_VERDICT_UNTOUCHED,
  "no-system": WireVerdict.REIMAGE_VERDICT_NO_SYSTEM,
  unproved: WireVerdict.REIMAGE_VERDICT_UNPROVED,
  unknown: WireVerdict.REIMAGE_VERDICT_UNKNOWN,
  "proved-late": WireVerdict.REIMAGE_VERDICT_PROVED_LATE,
});

/** The verdicts in a few words for people. */
export const verdictWords: Readonly<Record<ReimageVerdict, string>> = {
  untouched: "untouched",
  "no-system": "card has no system",
  unproved: "card holds the image, unproved",
  unknown: "unknown what the card holds",
  "proved-late": "proved late",
};
