/*
 * A token bucket as one number: the moment at which everything that it has let through is paid for. It is the generic
 * cell rate algorithm of ITU-T I.371, which needs no refilling and so no timer. Times are in milliseconds of a
 * monotonic clock.
 */

/** How far ahead of its rate a bucket may let bytes through, so that a late timer costs no throughput. */
export const toleranceMs = 50;

/**
 * How long bytes have to wait that want to pass now; 0 when they may. Their number matters only to those after them.
 */
export function waitMs(paidAt: number, now: number): number {
  return Math.max(0, paidAt - toleranceMs - now);
}

/** The bucket after bytes have passed. Time in which nothing passed is not saved up. */
export function spend(paidAt: number, bytes: number, bytesPerSecond: number, now: number): number {
  return Math.max(paidAt, now) + (bytes / bytesPerSecond) * 1000;
}
