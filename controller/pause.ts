import type { Clock } from "./clock.ts";

/** Resolves after so many milliseconds; rejects when the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    clock.setTimeout(
      () => {
        signal.removeEventListener("abort", stop);
        resolve();
      },
      ms,
      signal,
    );
  });
}
