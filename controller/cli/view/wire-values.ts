import type { Duration } from "../../../proto/gen/google/protobuf/duration.ts";

/** ISO 8601 in UTC, or null if the message has no such time. */
export function toTime(date: Date | undefined): string | null {
  return date === undefined || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** A 64-bit integer as a number: sizes of disks and files are far below 2^53. */
export function toNumber(value: bigint): number {
  return Number(value);
}

/** Milliseconds, or null if the message has no such duration. */
export function toMs(duration: Duration | undefined): number | null {
  return duration === undefined ? null : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** An empty string stands for "absent" in proto3. */
export function toText(text: string): string | null {
  return text === "" ? null : text;
}
