import type { ReimageState, RolloutRecord } from "./machine/reimage-state.ts";
import type { RolloutId } from "./plan/rollout.ts";

/** A rollout with its reimages, as the journal holds it. Plain data that survives JSON. */
export interface JournalEntry {
  readonly rollout: RolloutRecord;
  readonly reimages: readonly ReimageState[];
}

/**
 * Remembers rollouts over a restart of the controller. Every write is atomic and durable when it returns, because
 * effects on nodes follow at once.
 */
export interface Journal {
  /** Saves a new rollout with all its reimages in one transaction. */
  create(entry: JournalEntry): void;
  /** Replaces the record of an existing rollout (by `id`). */
  saveRollout(rollout: RolloutRecord): void;
  /** Replaces the state of an existing reimage (by `id`; it belongs to the rollout `rolloutId`). */
  saveReimage(reimage: ReimageState): void;
  get(id: RolloutId): JournalEntry | undefined;
  /** Newest first. */
  list(): readonly JournalEntry[];
  /** Those whose rollout has no `endedAt`: work that has to be resumed. */
  unended(): readonly JournalEntry[];
}
