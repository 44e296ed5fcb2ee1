import { DiskOutcome as WireOutcome } from "../gen/pallet/v1/operation.ts";
import { wireWords } from "./wire-words.ts";

/** What a write that has ended left on its disk; see pallet.v1.DiskOutcome. */
export type DiskOutcome = "untouched" | "no-table" | "image" | "uncertain";

/** The outcomes as they travel. */
export const diskOutcomes = wireWords<DiskOutcome, WireOutcome>({
  untouched: WireOutcome.DISK_OUTCOME_UNTOUCHED,
  "no-table": WireOutcome.DISK_OUTCOME_NO_TABLE,
  image: WireOutcome.DISK_OUTCOME_IMAGE,
  uncertain: WireOutcome.DISK_OUTCOME_UNCERTAIN,
});
