import type { Clock } from "../../proto/time/clock.ts";

/** A clock that can be held to what was seen before. */
export type SteadyClock = Clock & {
  /** From now on it is at least this late, and goes on from there; milliseconds since the epoch. */
  hold(fromMs: number): void;
  /** It is this machine's clock again. */
  release(): void;
};

/**
 * This machine's clock, or where it is held the time since then, until the machine's own is later. Timers are the same
 * either way: nothing is due earlier or later because a clock was set.
 */
export function createSteadyClock(system: Clock, monotonic: Pick<Clock, "now">): SteadyClock {
  let held: { readonly fromMs: number; readonly sinceMs: number } | undefined;
  return {
    now() {
      const now = system.now();
      return held === undefined ? now : Math.max(now, Math.round(held.fromMs + monotonic.now() - held.sinceMs));
    },
    setTimeout: (callback, delayMs, signal) => system.setTimeout(callback, delayMs, signal),
    hold(fromMs) {
      held = { fromMs, sinceMs: monotonic.now() };
    },
    release() {
      held = undefined;
    },
  };
}
