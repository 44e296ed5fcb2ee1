/** What went through at some moment: milliseconds of a clock that only moves on, bytes per second, nodes that fetched. */
export interface Throughput {
  readonly at: number;
  readonly bytesPerSecond: number;
  readonly fetching: number;
}

/** How long the most that went through is remembered: after that it is tried again whether more will, in milliseconds. */
export const rememberedMs = 60_000;

/** What counts as more, and what as the same. */
const notably = 1.1;

/** The most that went through of late, with the fewest nodes that brought it about. */
export function mostThroughput(most: Throughput | undefined, now: Throughput): Throughput {
  if (most === undefined || now.at - most.at > rememberedMs) return now;
  if (now.bytesPerSecond > notably * most.bytesPerSecond) return now;
  if (now.bytesPerSecond * notably >= most.bytesPerSecond && now.fetching < most.fetching && now.fetching > 0) {
    return { ...most, fetching: now.fetching };
  }
  return most;
}

/**
 * What the way to the nodes carries as far as it shows: half as many nodes again fetch, and no more goes through. The
 * reason may be any on the way: a switch, a slower port than the interface says, the controller's own disk. Undefined
 * as long as more nodes bring more.
 */
export function measuredCapacity(most: Throughput, now: Throughput): number | undefined {
  const isFull = now.fetching >= 1.5 * most.fetching && now.bytesPerSecond <= notably * most.bytesPerSecond;
  return isFull && most.fetching > 0 ? Math.max(most.bytesPerSecond, now.bytesPerSecond) : undefined;
}
