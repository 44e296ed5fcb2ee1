/** Time as the server sees it, so that tests decide how late it is. */
export interface TransferClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `act` once after `delayMs` milliseconds unless the returned function is called before. */
  after(delayMs: number, act: () => void): () => void;
}

/** The time of this machine. */
export const machineClock: TransferClock = {
  now: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};
