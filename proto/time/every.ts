import type { Clock } from "./clock.ts";

/** Calls again and again, so many milliseconds apart, until the signal aborts. A call that throws ends the rest. */
export function every(clock: Clock, intervalMs: number, call: () => void, signal: AbortSignal): void {
  const again = (): void =>
    clock.setTimeout(
      () => {
        call();
        if (!signal.aborted) again();
      },
      intervalMs,
      signal,
    );
  again();
}
