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
  "hooks-come-first":
    "nothing is done to a node before all its before-reimage hooks have succeeded, and one that failed leaves it untouched",
  "every-end-is-told": "each hook that an end is for runs to its own end after it, whatever became of the controller",
  "hooks-have-a-reason":
    "a hook runs at the moment that it is for, with one id and one message, and again only after a restart, or when something could not be saved",
  "config-is-as-confirmed":
    "a system is written and proved only as the profiles said when it was confirmed, and by a config only if they still say so at the write",
  "configured-is-true": "a node is configured when all tasks of its system have succeeded in it, and not before",
  "late-tasks-count": "a node whose tasks have all succeeded in the end is configured",
  "retry-spares-the-proved": "a rollout that is tried again touches no node that it has proved",
  "rollout-says-it": "a rollout has succeeded if each of its nodes is proved and configured, and only then",
  "secrets-stay-secret": "no secret of the profiles is in the database, in what hooks are told, or in an answer",
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
