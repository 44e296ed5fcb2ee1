import type { BootMoment } from "../../proto/time/boot-moment.ts";
import type { Clock } from "../../proto/time/clock.ts";

/** A clock that somebody may set, read beside one that nobody sets. */
export interface ClockReading {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** By how much it was set since it was read last, in milliseconds; negative: back. 0 for a correction. */
  readonly setByMs: number;
}

/**
 * Makes the only judge of whether a clock was set: it is, if it went on otherwise than that of the machine's boot did, which
 * goes on while the machine sleeps, too.
 *
 * @param leastMs a smaller step is a correction (NTP), or two clocks that are read roughly
 */
export function createClockReader(
  clock: Pick<Clock, "now">,
  moment: () => BootMoment,
  leastMs = 1000,
): () => ClockReading {
  let offsetMs = clock.now() - moment().ms;
  return () => {
    const at = clock.now();
    const before = offsetMs;
    offsetMs = at - moment().ms;
    const byMs = Math.round(offsetMs - before);
    return { at, setByMs: Math.abs(byMs) >= leastMs ? byMs : 0 };
  };
}

/**
 * When by the monotonic clock it was what an earlier process has noted by the other one, which is asked now, once: whatever
 * it is set to later, that is as long ago. What was noted in the future, before the clock was set back, was noted nobody
 * knows when; it is taken to be as far away.
 */
export function momentOf(notedAt: number, clock: Pick<Clock, "now">, monotonic: Pick<Clock, "now">): number {
  return monotonic.now() - Math.abs(clock.now() - notedAt);
}
