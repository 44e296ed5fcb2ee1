/**
 * A moment by the one clock that nobody sets: the time since the machine booted, which goes on while programs restart.
 * Plain data, so that it can be kept.
 */
export interface BootMoment {
  /** Which boot of the machine. */
  readonly bootId: string;
  /** Milliseconds since that boot (CLOCK_BOOTTIME, clock_gettime(2)). */
  readonly ms: number;
}

/** Milliseconds from one moment to another one; undefined when the machine has booted between them, or one is unknown. */
export function msBetween(start: BootMoment | undefined, end: BootMoment): number | undefined {
  if (start === undefined || start.bootId !== end.bootId || end.ms < start.ms) return undefined;
  return Math.round(end.ms - start.ms);
}
