import type { LabelRequirement } from "../nodes/parse-label-selector.ts";
import type { LocatedMap } from "./located.ts";

/** Which nodes a profile is for: all that is given has to fit; nothing is every node. Patterns are those of glob(7). */
export interface ProfileMatch {
  readonly labels?: readonly LabelRequirement[];
  readonly name?: string;
  readonly model?: string;
  readonly image?: string;
}

/** A profile as its file says it. */
export interface Profile {
  /** Unique among the profiles. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly match: ProfileMatch;
  /** How `match` is written, for people; empty for every node. */
  readonly matchText: string;
  /** Profiles are merged from low to high, of the same priority by name; the later wins. */
  readonly priority: number;
  /** Of `systemShape`, with templates; absent for a profile that says nothing. */
  readonly system?: LocatedMap;
}
