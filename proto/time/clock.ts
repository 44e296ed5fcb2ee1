/** Time as a port, so that tests control it. */
export interface Clock {
  /** Milliseconds since the epoch, or since the process began where the clock is a monotonic one. */
  now(): number;
  /** Calls back once after `delayMs` milliseconds, unless the signal is aborted before. */
  setTimeout(callback: () => void, delayMs: number, signal: AbortSignal): void;
}

/** The time of this machine, for dates. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs, signal) => startTimer(callback, delayMs, signal)?.unref(),
};

/** The time of this machine for a program that ends when it waits for nothing: its timers keep the process alive. */
export const foregroundClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs, signal) => void startTimer(callback, delayMs, signal),
};

/**
 * Monotonic time since the process began, for rates and durations. Its timers do not keep the process
 * alive.
 */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  setTimeout: systemClock.setTimeout,
};

function startTimer(callback: () => void, delayMs: number, signal: AbortSignal): NodeJS.Timeout | undefined {
  if (signal.aborted) return undefined;
  const stop = (): void => clearTimeout(timer);
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    callback();
  }, delayMs);
  signal.addEventListener("abort", stop, { once: true });
  return timer;
}
