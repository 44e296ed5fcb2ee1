import type { Duration } from "./gen/google/protobuf/duration.ts";

/** Milliseconds, rounded to whole ones, as google.protobuf.Duration. */
export function durationToWire(ms: number): Duration {
  const whole = Math.round(ms);
  return { seconds: BigInt(Math.trunc(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}

/** Longest google.protobuf.Duration by its definition, in seconds: some 10,000 years. */
const mostSeconds = 315_576_000_000;

/** google.protobuf.Duration as milliseconds; one that is longer than its definition allows is cut to that. */
export function durationFromWire(duration: Duration): number {
  const seconds = Math.max(-mostSeconds, Math.min(mostSeconds, Number(duration.seconds)));
  return seconds * 1000 + duration.nanos / 1_000_000;
}
