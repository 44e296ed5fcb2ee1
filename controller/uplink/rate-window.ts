/** A counter of bytes at a moment, in milliseconds of a monotonic clock. */
export interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** How far back a rate looks, in milliseconds: long enough to smooth a card's pauses, short enough to follow it. */
export const windowMs = 4000;

/** The samples with a new one, without those that no rate looks at any more. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const from = sample.at - windowMs;
  // The newest of those that are too old stays: the window begins within the span that it opens.
  const first = samples.findLastIndex(({ at }) => at <= from);
  return [...samples.slice(Math.max(0, first)), sample];
}

/** Bytes per second over the window; 0 until there are two samples. */
export function rateOf(samples: readonly Sample[]): number {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return 0;
  return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
}
