import { type BackoffPolicy, backoffBoundMs } from "../../proto/time/backoff.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import { NotYet } from "../refusal/not-yet.ts";

/** Opens what is not available yet as soon as it is. */
export interface Patience {
  /**
   * Calls `open` again and again, ever later, for as long as it throws NotYet, and says so when the reason is a new
   * one. Resolves with what it gave; rejects with any other error, and when the signal aborts.
   *
   * @param name what waits, for a person: "DHCP"
   */
  until<T>(name: string, open: () => Promise<T>): Attempts<T>;
  /** What we are waiting for now, one sentence each. */
  waiting(): readonly string[];
}

/** Tries to open something. */
export interface Attempts<T> {
  /** Resolves when the first one gave something, or must wait; rejects when it is the last. */
  readonly first: Promise<void>;
  readonly opened: Promise<T>;
}

const delays: BackoffPolicy = { firstMs: 1000, capMs: 10_000 };

/** @param log gets each reason to wait once, and the end of the wait */
export function createPatience(options: {
  readonly clock: Clock;
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void };
  readonly signal: AbortSignal;
}): Patience {
  const { clock, log, signal } = options;
  const reasons = new Map<string, string>();

  async function attempt<T>(name: string, open: () => Promise<T>, waits: () => void): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        signal.throwIfAborted();
        const opened = await open();
        if (reasons.delete(name)) log.info({}, `${name} is no longer waiting`);
        return opened;
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        if (reasons.get(name) !== error.message) log.warn({}, `${name} is waiting: ${error.message}`);
        reasons.set(name, error.message);
      }
      waits();
      await pause(clock, backoffBoundMs(delays, failures), signal);
    }
  }

  return {
    until(name, open) {
      const first = Promise.withResolvers<void>();
      const opened = attempt(name, open, first.resolve);
      opened.then(() => first.resolve(), first.reject);
      // Whoever awaits them gets the error.
      for (const each of [opened, first.promise]) each.catch(() => undefined);
      return { first: first.promise, opened };
    },
    waiting: () => [...reasons].map(([name, reason]) => `${name}: ${reason}`),
  };
}
