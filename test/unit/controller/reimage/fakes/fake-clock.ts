import type { Clock } from "../../../../../controller/clock.ts";

/** A clock that stands still until it is told to advance. */
export interface FakeClock extends Clock {
  /** Lets time pass, firing what falls due in order; everything that hangs on it settles before the next fires. */
  advance(ms: number): Promise<void>;
  /** Lets time pass in steps until `done`, at most `limitMs`. Returns whether it came true. */
  advanceUntil(done: () => boolean, limitMs: number, stepMs?: number): Promise<boolean>;
}

/** Everything that waits for a promise has run when this resolves. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function createFakeClock(startAt = Date.UTC(2026, 10, 23)): FakeClock {
  let now = startAt;
  let timers: { at: number; callback: () => void; signal: AbortSignal }[] = [];

  async function advance(ms: number): Promise<void> {
    const until = now + ms;
    await settle();
    for (;;) {
      timers = timers.filter((timer) => !timer.signal.aborted);
      const next = timers.reduce<(typeof timers)[number] | undefined>(
        (first, timer) => (timer.at <= until && (first === undefined || timer.at < first.at) ? timer : first),
        undefined,
      );
      if (next === undefined) break;
      timers.splice(timers.indexOf(next), 1);
      now = Math.max(now, next.at);
      next.callback();
      await settle();
    }
    now = until;
  }

  return {
    now: () => now,
    setTimeout(callback, delayMs, signal) {
      if (!signal.aborted) timers.push({ at: now + delayMs, callback, signal });
    },
    advance,
    async advanceUntil(done, limitMs, stepMs = 1000) {
      const limit = now + limitMs;
      await settle();
      while (!done() && now < limit) await advance(Math.min(stepMs, limit - now));
      return done();
    },
  };
}
