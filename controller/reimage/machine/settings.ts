/** Timeouts and limits of reimages. Times in milliseconds. */
export interface ReimageSettings {
  /**
   * How long a node may take to appear in the netbooted agent, at first or again; a Pi behind spanning tree needs
   * minutes.
   */
  readonly bootTimeoutMs: number;
  /** How long a write may make no progress; worn cards pause for up to a minute. */
  readonly stallTimeoutMs: number;
  /** How long a node may take from the request to reboot until its proof, and from each sign of life on again. */
  readonly proveTimeoutMs: number;
  /**
   * How long a node that gives signs of life (boot files, address leases) may take in all to come up in the agent, or to
   * prove its image: each sign starts bootTimeoutMs or proveTimeoutMs over, up to this.
   */
  readonly longestBootMs: number;
  /**
   * How long the tasks of a proved node may be without news, from its proof and from each change of theirs on: more than the
   * longest of them takes.
   */
  readonly configureTimeoutMs: number;
  /** How long an agent may take to release the disk after a cancellation. */
  readonly cancelTimeoutMs: number;
  /** Pause before retrying an agent that did not answer. */
  readonly retryDelayMs: number;
  /** Pause before asking a node again to reboot if it has not. */
  readonly rebootRetryMs: number;
  /** Pause before restarting a write that could not fetch its image. */
  readonly fetchRetryDelayMs: number;
  /** Maximum number of writes started. */
  readonly maxAttempts: number;
  /** Maximum number of times that an installed system is asked to reboot into the agent. */
  readonly maxRebootsIntoAgent: number;
  /** How often a node may come back in the agent although its boot target is local, before that is a failure. */
  readonly maxReturnsToAgent: number;
  /** Maximum number of phases entered: the end of a node that restarts forever. */
  readonly maxSteps: number;
  /** How many reimages are at work at once; the others are queued. */
  readonly maxConcurrent: number;
  /** Least time between two states of a watched rollout. */
  readonly watchIntervalMs: number;
}

/** For real Pis on a real network. */
export const defaultReimageSettings: ReimageSettings = {
  bootTimeoutMs: 600_000,
  stallTimeoutMs: 300_000,
  proveTimeoutMs: 600_000,
  longestBootMs: 1_800_000,
  configureTimeoutMs: 3_600_000,
  cancelTimeoutMs: 30_000,
  retryDelayMs: 2_000,
  rebootRetryMs: 30_000,
  fetchRetryDelayMs: 10_000,
  maxAttempts: 5,
  maxRebootsIntoAgent: 2,
  maxReturnsToAgent: 1,
  maxSteps: 64,
  maxConcurrent: 64,
  watchIntervalMs: 250,
};

/** Maximum time until a deadline, in milliseconds. */
export function longestTimeout(settings: ReimageSettings): number {
  const { bootTimeoutMs, stallTimeoutMs, proveTimeoutMs, cancelTimeoutMs } = settings;
  return Math.max(bootTimeoutMs, stallTimeoutMs, proveTimeoutMs, cancelTimeoutMs);
}
