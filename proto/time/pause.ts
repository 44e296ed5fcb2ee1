import type { Clock } from "./clock.ts";

/** Resolves after the given milliseconds; rejects with the signal's reason when it aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal = new AbortController().signal): Promise<void> {
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
