/** How long to wait between failed attempts. */
export interface BackoffPolicy {
  /** Longest wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number;
  /**
   * A number from 0 (inclusive) to 1 (exclusive), like Math.random; absent for what waits alone, and need not be
   * spread.
   */
  readonly random?: () => number;
}

/**
 * Longest wait after the given number of failures, in milliseconds: doubles with each failure, up to the cap.
 *
 * @param failures from 1; fewer count as 1
 */
export function backoffBoundMs({ firstMs, capMs }: BackoffPolicy, failures: number): number {
  return Math.min(capMs, firstMs * 2 ** Math.max(0, failures - 1));
}

/**
 * Waits in milliseconds, without end: each is the bound after one failure more or, with a random number, drawn from the
 * upper half below it, so that nodes that lost the controller together do not return together.
 */
export function* backoff(policy: BackoffPolicy): Generator<number, never> {
  const { random } = policy;
  for (let failures = 1; ; failures += 1) {
    const boundMs = backoffBoundMs(policy, failures);
    yield random === undefined ? boundMs : Math.round(boundMs * (0.5 + random() / 2));
  }
}
