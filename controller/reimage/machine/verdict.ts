import type { DiskOutcome } from "../../../proto/words/disk-outcome.ts";
import type { CardVerdict } from "../../../proto/words/reimage-verdict.ts";
import type { ReimageState } from "./reimage-state.ts";

/*
 * What is known of the card, and so what an end says of it. Only the agent knows when a write first touches the disk: a
 * write that was asked for may have erased its table, whatever was heard of it since, until its own agent says how it
 * ended. Of everything else the verdict is "unknown".
 */

/**
 * What the card holds if the reimage leaves its phase now.
 *
 * @param outcome what the agent says of a write that has ended; undefined when nothing is heard of it, or the agent is
 *   older than that
 */
export function judgeCard(state: ReimageState, outcome?: DiskOutcome): CardVerdict {
  const { phase } = state;
  if (phase.name === "rebooting" || phase.name === "proving") return "unproved";
  if (phase.name !== "writing" && phase.name !== "cancelling") return cardBetweenWrites(state);
  const mayHaveBegun = phase.doubtful === true;
  if (phase.name === "writing" && phase.unsent === true && !mayHaveBegun) return cardBetweenWrites(state);
  switch (outcome) {
    case "untouched":
      return mayHaveBegun ? "unknown" : cardBetweenWrites(state);
    case "no-table":
      return "no-system";
    case "image":
      return "unproved";
    case "uncertain":
    case undefined:
      return "unknown";
  }
}

/** In a journal of an older Pallet, which kept no `before`, every write may have done anything. */
function cardBetweenWrites({ holds, attempts, before }: ReimageState): CardVerdict {
  return holds ?? (attempts === 0 || before !== undefined ? "untouched" : "unknown");
}

/** What an end left on the card, and where the node's next boot goes, as a clause. */
export function describeVerdict(verdict: CardVerdict, { imageName, before, step }: ReimageState): string {
  switch (verdict) {
    case "untouched":
      return before?.bootTarget.kind === "local" && step > 0
        ? "its card is untouched, and its boot target is local as before"
        : "its card is untouched";
    case "no-system":
      return "its card has no system, and its boot target is agent";
    case "unproved":
      return `its card holds ${imageName}, unproved, and its boot target is agent`;
    case "unknown":
      return "what its card holds is unknown, and its boot target is agent";
  }
}
