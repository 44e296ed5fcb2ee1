import type { Clock } from "../../../controller/clock.ts";

/** A clock that stands still until it is told otherwise. */
export interface ManualClock extends Clock {
  /** Lets time pass, and what is due happen, in order. */
  advance(ms: number): void;
}

export function createManualClock(startAt = 1_000_000): ManualClock {
  let now = startAt;
  let pending: { readonly at: number; readonly callback: () => void; readonly signal: AbortSignal }[] = [];
  return {
    now: () => now,
    setTimeout(callback, delayMs, signal) {
      pending.push({ at: now + delayMs, callback, signal });
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        pending = pending.filter((timer) => !timer.signal.aborted);
        const due = pending.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        pending.splice(pending.indexOf(due), 1);
        now = due.at;
        due.callback();
      }
      now = until;
    },
  };
}
