import { noProgress } from "../../proto/operation/progress.ts";
import type { ReimageState } from "../reimage/machine/reimage-state.ts";

/**
 * Keys of a state that the journal keeps under an older name: what it kept before must stay readable, by older versions
 * too.
 */
const recordKeys: Readonly<Partial<Record<string, string>>> = { noResident: "untouched" } satisfies {
  readonly [Key in keyof ReimageState]?: string;
};
const stateKeys = Object.fromEntries(Object.entries(recordKeys).map(([key, kept]) => [kept, key]));

/** The state of a reimage as the text that the journal keeps. */
export function reimageToRecord(state: ReimageState): string {
  return JSON.stringify(renamed(state, recordKeys));
}

/** The state of a reimage from the journal. Counters unknown to an earlier version are zero. */
export function reimageFromRecord(record: string): ReimageState {
  const { progress, ...state } = renamed(JSON.parse(record), stateKeys) as ReimageState;
  return { ...state, ...(progress !== undefined && { progress: { ...noProgress, ...progress } }) };
}

function renamed(record: object, names: Readonly<Partial<Record<string, string>>>): object {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [names[key] ?? key, value]));
}
