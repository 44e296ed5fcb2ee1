const firstMs = 500;
const longestMs = 30_000;

/** How long to wait before a program that ended is started again, in milliseconds. @param attempt 1 for the first */
export function restartDelayMs(attempt: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, attempt - 1));
}
