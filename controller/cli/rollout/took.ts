import { formatDuration } from "../render/units.ts";

/** What a rollout and a reimage say of their duration; see pallet.v1.Rollout. */
interface Timed {
  readonly tookMs: number | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** Longer than any rollout: what a clock says that was set meanwhile. */
const absurdMs = 365 * 86_400_000;

/**
 * How long it has run in milliseconds, until `now` when it has not ended; null when nobody knows: the times are those of
 * a clock that was set meanwhile, or of two clocks.
 *
 * @param tookSinceMs for how long what is shown has been known, where a controller measures the duration: it goes on
 */
export function tookMs({ tookMs, startedAt, endedAt }: Timed, now: number, tookSinceMs = 0): number | null {
  if (tookMs !== null) return endedAt === null ? tookMs + Math.max(0, tookSinceMs) : tookMs;
  if (startedAt === null) return null;
  const ms = (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt);
  return ms < 0 || ms > absurdMs ? null : ms;
}

/** The same for people: "?" where nobody knows. */
export function formatTook(ms: number | null): string {
  return ms === null ? "?" : formatDuration(ms);
}
