import type { Clock } from "./clock.ts";

/** Calls repeatedly, at the given interval in milliseconds, until the signal aborts. A call that throws ends it. */
export function every(clock: Clock, intervalMs: number, call: () => void, signal: AbortSignal): void {
  const again = (): (() => void) =>
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
