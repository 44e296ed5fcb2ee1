import type { Entry } from "../history/history.ts";

/** What must be true of every history, whatever happens in it. */
export const invariants = {
  "proved-is-true": "when a reimage is proved, its node has booted the whole image, with its stamp, from its card",
  "untouched-is-true": "a reimage that ended as untouched has begun no write",
  "verdict-names-the-card": "what a verdict says of the card is so",
  "one-writer": "two writes never go to one card at the same time",
  "writes-are-asked-for": "nothing is written but for a reimage of that node that is writing, and only to its card",
  "no-write-after-the-end": "no write begins after its reimage has ended",
  "local-only-onto-its-image": "a rollout sets the boot target local only where the card holds that image, whole",
  "intact-stays-in-service": "a node whose proved system was not touched since runs it in the end",
  "late-proof-counts": "a node that runs what a reimage wrote, whole and with its stamp, in the end, is proved",
  "nobody-is-lost": "in the end every board with power is in the agent or in a whole system, and stays there",
  "every-run-ends": "in the end every rollout has ended, with a verdict for each node",
  "nobody-else-moves-a-target":
    "outside of rollouts, a boot target changes by an operator's word, or as the node's own system shows",
} as const;

export type Invariant = keyof typeof invariants;

/** An invariant that a history breaks. */
export interface Finding {
  readonly invariant: Invariant;
  /** What is wrong, for a person. */
  readonly text: string;
  /** Where in the history, in milliseconds since its beginning. */
  readonly at: number;
}

/** Of one kind of entries. */
export type EntryOf<What extends Entry["what"]> = Extract<Entry, { readonly what: What }>;
