import { backoffBoundMs } from "../../proto/time/backoff.ts";

/** How long to wait before restarting a program that ended, in milliseconds. @param attempt 1 for the first */
export function restartDelayMs(attempt: number): number {
  return backoffBoundMs({ firstMs: 500, capMs: 30_000 }, attempt);
}
