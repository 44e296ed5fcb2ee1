import type { Clock } from "../../../../proto/time/clock.ts";

/** A clock that stands still until it is told otherwise. */
export interface ManualClock extends Clock {
  /** How many timers are armed. */
  timers(): number;
  /** Lets time pass, and what is due happen, in order. */
  advance(ms: number): void;
  /** As `advance`; everything that hangs on a timer settles before the next one fires. */
  advanceSettling(ms: number): Promise<void>;
  /** Lets time pass in steps, settling, until `done`, at most `limitMs`. Returns whether it came true. */
  advanceUntil(done: () => boolean, limitMs: number, stepMs?: number): Promise<boolean>;
}

/** Everything that waits for a promise has run when this resolves. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
  readonly signal: AbortSignal | undefined;
}

/** @param startAt milliseconds since the epoch */
export function createManualClock(startAt = Date.UTC(2026, 10, 23)): ManualClock {
  let now = startAt;
  let armed: Timer[] = [];

  /** Takes the timer that is due first, if one is by then; of several, the one that was armed first. */
  function takeDue(until: number): (() => void) | undefined {
    armed = armed.filter(({ signal }) => signal?.aborted !== true);
    const due = armed.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
    if (due === undefined) return undefined;
    armed.splice(armed.indexOf(due), 1);
    now = Math.max(now, due.at);
    return due.callback;
  }

  async function advanceSettling(ms: number): Promise<void> {
    const until = now + ms;
    await settle();
    for (let fire = takeDue(until); fire !== undefined; fire = takeDue(until)) {
      fire();
      await settle();
    }
    now = until;
  }

  return {
    now: () => now,
    setTimeout(callback, delayMs, signal) {
      const timer: Timer = { at: now + delayMs, callback, signal };
      if (signal?.aborted !== true) armed.push(timer);
      return () => {
        armed = armed.filter((each) => each !== timer);
      };
    },
    timers: () => armed.filter(({ signal }) => signal?.aborted !== true).length,
    advance(ms) {
      const until = now + ms;
      for (let fire = takeDue(until); fire !== undefined; fire = takeDue(until)) fire();
      now = until;
    },
    advanceSettling,
    async advanceUntil(done, limitMs, stepMs = 1000) {
      const limit = now + limitMs;
      await settle();
      while (!done() && now < limit) await advanceSettling(Math.min(stepMs, limit - now));
      return done();
    },
  };
}
