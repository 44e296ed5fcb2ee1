import { noProgress } from "../../proto/operation/progress.ts";
import type { ReimageState } from "../reimage/machine/reimage-state.ts";

/** The state of a reimage as the text that the journal keeps. */
export function reimageToRecord(state: ReimageState): string {
  return JSON.stringify(state);
}

/** The state of a reimage as the journal kept it. What an earlier version did not count is zero. */
export function reimageFromRecord(record: string): ReimageState {
  const { progress, ...state } = JSON.parse(record) as ReimageState;
  return { ...state, ...(progress !== undefined && { progress: { ...noProgress, ...progress } }) };
}
