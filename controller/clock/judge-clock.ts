import { earliestTime } from "../../proto/time/earliest-time.ts";

/** What there is to judge this machine's clock by. Milliseconds since the epoch. */
export interface ClockEvidence {
  readonly systemMs: number;
  /** The latest time that Pallet has seen before; absent where nothing was noted. */
  readonly seenMs?: number;
  /** Whether the kernel knows that something keeps it right (NTP): then it is, whatever was seen. */
  readonly isSynchronised: boolean;
}

export type ClockVerdict =
  | { readonly kind: "believed" }
  /** It is earlier than it can be, by more than a correction. Time goes on from `fromMs`. */
  | { readonly kind: "behind"; readonly fromMs: number };

/** Corrections of NTP, and people who set the minutes, in milliseconds. */
const toleranceMs = 5 * 60_000;

/** How often the time is noted while a controller runs, in milliseconds. */
export const noteEveryMs = 10 * 60_000;

/**
 * The latest time that Pallet has seen: what it noted, or its newest event, which may come after the last note before the power
 * was gone. One that is further from it is none to go by: what was noted was wrong, and somebody has put it right.
 */
export function latestSeen(notedMs: number | undefined, newestEventMs: number | undefined): number | undefined {
  if (notedMs === undefined || newestEventMs === undefined) return notedMs ?? newestEventMs;
  const isNext = newestEventMs > notedMs && newestEventMs - notedMs <= noteEveryMs + toleranceMs;
  return isNext ? newestEventMs : notedMs;
}

/** Decides whether this machine's clock can be right: time has not gone back since it was seen last. */
export function judgeClock({ systemMs, seenMs = 0, isSynchronised }: ClockEvidence): ClockVerdict {
  const fromMs = Math.max(seenMs, earliestTime);
  const isBehind = !isSynchronised && systemMs < fromMs - toleranceMs;
  return isBehind ? { kind: "behind", fromMs } : { kind: "believed" };
}

/** What is wrong with a clock that is behind, as one sentence without its full stop, and what to do. */
export function describeClock(systemMs: number, fromMs: number, file: string) {
  const [system, from] = [systemMs, fromMs].map(renderTime);
  return {
    message: `this machine's clock says ${system}, and it was ${from} before: Pallet goes on from there`,
    remedy:
      `connect it to a time server, or set it: date --set='YYYY-MM-DD hh:mm' (UTC: --utc). If ${from} was wrong, ` +
      `stop the controller, set the clock and run: date --utc +%FT%TZ >${file}`,
  };
}

/** As "2026-11-30T16:50:00Z", which date(1) reads, too. */
export function renderTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** Reads it back, in milliseconds since the epoch; undefined where it is something else. */
export function parseTime(text: string): number | undefined {
  const line = text.trim();
  const atMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(line) ? Date.parse(line) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}
