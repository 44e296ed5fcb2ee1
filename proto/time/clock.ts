/** Time as a port, so that tests control it. */
export interface Clock {
  /** Milliseconds since the epoch, or since the process began where the clock is a monotonic one. */
  now(): number;
  /**
   * Calls back once after `delayMs` milliseconds, unless the signal is aborted or the returned function is called before.
   * The function is for those who set a timer per packet: a signal of its own for each costs a quarter more.
   */
  setTimeout(callback: () => void, delayMs: number, signal?: AbortSignal): () => void;
}

/** The time of this machine, for dates. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, delayMs, signal) {
    const { timer, stop } = startTimer(callback, delayMs, signal);
    timer?.unref();
    return stop;
  },
};

/** The time of this machine for a program that ends when it waits for nothing: its timers keep the process alive. */
export const foregroundClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs, signal) => startTimer(callback, delayMs, signal).stop,
};

/**
 * Monotonic time since the process began, for rates and durations. Its timers do not keep the process
 * alive.
 */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  setTimeout: systemClock.setTimeout,
};

interface Started {
  readonly timer?: NodeJS.Timeout;
  readonly stop: () => void;
}

function startTimer(callback: () => void, delayMs: number, signal: AbortSignal | undefined): Started {
  if (signal === undefined) {
    const timer = setTimeout(callback, delayMs);
    return { timer, stop: () => clearTimeout(timer) };
  }
  if (signal.aborted) return { stop: () => undefined };
  const stop = (): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    callback();
  }, delayMs);
  signal.addEventListener("abort", stop, { once: true });
  return { timer, stop };
}
