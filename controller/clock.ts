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
  setTimeout: systemTimeout,
};

/** Time since the process began, which nobody sets back, for rates. Its `now` is no date. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  setTimeout: systemTimeout,
};

function systemTimeout(callback: () => void, delayMs: number, signal: AbortSignal): void {
  if (signal.aborted) return;
  const stop = (): void => clearTimeout(timer);
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    callback();
  }, delayMs);
  timer.unref();
  signal.addEventListener("abort", stop, { once: true });
}
