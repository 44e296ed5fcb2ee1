/** How long to wait between attempts that fail. */
export interface BackoffPolicy {
  /** Longest wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number;
  /** A number from 0 (inclusive) to 1 (exclusive), like Math.random. */
  readonly random: () => number;
}

/**
 * Waits in milliseconds, without end: each bound is twice the one before, up to the cap, and the wait is drawn from the
 * upper half below the bound, so that nodes that lost the controller together do not return together.
 */
export function* backoff({ firstMs, capMs, random }: BackoffPolicy): Generator<number, never> {
  for (let boundMs = firstMs; ; boundMs = Math.min(boundMs * 2, capMs)) {
    yield Math.round(Math.min(boundMs, capMs) * (0.5 + random() / 2));
  }
}
