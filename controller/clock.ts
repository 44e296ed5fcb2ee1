/** Time as the core sees it, so that tests decide how late it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `delayMs` milliseconds, unless the signal is aborted before. */
  setTimeout(callback: () => void, delayMs: number, signal: AbortSignal): void;
}

/** The time of this machine. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, delayMs, signal) {
    if (signal.aborted) return;
    const stop = (): void => clearTimeout(timer);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      callback();
    }, delayMs);
    timer.unref();
    signal.addEventListener("abort", stop, { once: true });
  },
};
