import { loadLibc } from "../../proto/linux/libc.ts";
import { earliestTime } from "../../proto/time/earliest-time.ts";

/** Whether a clock has not been set since the board got power. Milliseconds since the epoch. */
export function isUnset(nowMs: number): boolean {
  return nowMs < earliestTime;
}

/** Sets the system's clock (settimeofday(2)); needs CAP_SYS_TIME. Throws an error with its `code`. */
export function setClock(nowMs: number): void {
  loadLibc().settimeofday(renderTimeval(nowMs));
}

/** The timeval of a moment in milliseconds since the epoch: seconds and microseconds, each of 64 bits on our machines. */
export function renderTimeval(nowMs: number): Uint8Array {
  const seconds = Math.floor(nowMs / 1_000);
  return new Uint8Array(
    BigInt64Array.of(BigInt(seconds), BigInt(Math.floor((nowMs - seconds * 1_000) * 1_000))).buffer,
  );
}
