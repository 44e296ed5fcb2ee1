import type { Clock } from "../../proto/time/clock.ts";
import type { ActiveRollout } from "./active-rollout.ts";
import type { Rollout, RolloutId } from "./plan/rollout.ts";

/** The rollout now and after changes, coalesced to the interval, until it has ended or the signal is aborted. */
export async function* watchRollout(options: {
  readonly id: RolloutId;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Least time between two states, but the end is given at once. */
  readonly intervalMs: number;
  /** Absent when it has ended before. */
  readonly active: ActiveRollout | undefined;
  readonly view: (id: RolloutId) => Rollout;
}): AsyncGenerator<Rollout> {
  const { id, signal, clock, intervalMs, active, view } = options;
  while (!signal.aborted) {
    const version = active?.version();
    const rollout = view(id);
    yield rollout;
    if (rollout.state !== "running" || active === undefined) return;
    await pause(clock, intervalMs, active, signal);
    if (active.version() === version) await active.changed.next(signal);
  }
}

/** Waits for the interval, or less when the rollout ends. */
async function pause(clock: Clock, intervalMs: number, active: ActiveRollout, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const elapsed = new Promise<void>((resolve) => {
    clock.setTimeout(resolve, intervalMs, either);
    either.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await Promise.race([elapsed, active.ended.next(either)]);
  } finally {
    done.abort();
  }
}
