import type { Duration } from "./gen/google/protobuf/duration.ts";

/** Milliseconds, rounded to whole ones, as google.protobuf.Duration. */
export function durationToWire(ms: number): Duration {
  const whole = Math.round(ms);
  return { seconds: BigInt(Math.trunc(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}

/** google.protobuf.Duration as milliseconds. */
export function durationFromWire(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
