import type { StateMark } from "./state-mark.ts";

/** What of its state a database still has. */
export type StateVerdict =
  | { readonly kind: "whole" }
  /** Some of the last changes are missing: it can be worked with, but somebody should know. */
  | { readonly kind: "lost"; readonly changes: number }
  /** It knows no node where there was a rack: to serve on that would send all of it to the installer. */
  | { readonly kind: "emptied"; readonly nodes: number };

/** Holds what is in a database against what its mark says was there. Without a mark nothing is known to be missing. */
export function judgeState(mark: StateMark | undefined, found: StateMark): StateVerdict {
  if (mark === undefined || found.changes >= mark.changes) return { kind: "whole" };
  if (found.nodes === 0 && mark.nodes > 0) return { kind: "emptied", nodes: mark.nodes };
  return { kind: "lost", changes: mark.changes - found.changes };
}
