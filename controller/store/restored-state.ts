import * as z from "zod";
import type { SettingsRows } from "./settings-rows.ts";

/** The key in the settings under which it is noted that the state came out of a backup. */
export const restoredKey = "state.restored";

const schema = z.object({
  takenAt: z.number(),
  restoredAt: z.number(),
  interrupted: z.array(z.string()).exactOptional(),
});

/** Where a state came from that was restored. */
export interface RestoredState {
  /** Of which moment the backup was, in milliseconds since the epoch: what happened since then it does not know. */
  readonly takenAt: number;
  readonly restoredAt: number;
  /** Ids of the rollouts that its first start cancelled; absent before that start. */
  readonly interrupted?: readonly string[];
}

/** What is noted of it; undefined for a state that was never restored. */
export function restoredStateIn(rows: Pick<SettingsRows, "get">): RestoredState | undefined {
  const text = rows.get(restoredKey);
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}

/** Keeps which rollouts the first start after it has cancelled. */
export function keepInterrupted(
  rows: Pick<SettingsRows, "set">,
  { takenAt, restoredAt }: RestoredState,
  interrupted: readonly string[],
): RestoredState {
  const state = { takenAt, restoredAt, interrupted };
  rows.set(restoredKey, JSON.stringify(state));
  return state;
}
