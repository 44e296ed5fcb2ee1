/** What went through at some moment: milliseconds of a monotonic clock, bytes per second, nodes that fetched. */
export interface Throughput {
  readonly at: number;
  readonly bytesPerSecond: number;
  readonly fetching: number;
}

/** What measured throughput says about the uplink. */
export interface Learnt {
  /** The highest throughput, with the fewest nodes that reached about as much. */
  readonly most: Throughput;
  /** What it carries, in bytes per second, and since when that is known; absent as long as more nodes bring more. */
  readonly full?: { readonly bytesPerSecond: number; readonly since: number };
}

/** How long it is believed that no more goes through; then a few nodes more show whether that is still so. */
export const believedMs = 300_000;

/** The increase that counts as more throughput. */
const notably = 1.1;

/** How many times as many nodes have to bring no more bytes. */
const moreNodes = 1.25;

/**
 * Learns from what goes through now. When a quarter more nodes fetch and no more goes through, the way is full,
 * wherever on it the reason lies: a switch, a slower port than the interface says, the controller's own disk.
 */
export function learnCapacity(before: Learnt | undefined, now: Throughput): Learnt {
  if (before === undefined) return { most: now };
  const { most, full } = before;
  if (now.bytesPerSecond > notably * most.bytesPerSecond) return { most: now };
  if (full !== undefined) return now.at - full.since > believedMs ? { most: now } : before;
  if (now.fetching === 0 || now.bytesPerSecond * notably < most.bytesPerSecond) return before;
  if (now.fetching < most.fetching) return { most: { ...most, fetching: now.fetching } };
  if (now.fetching < moreNodes * most.fetching) return before;
  return { most, full: { bytesPerSecond: Math.max(most.bytesPerSecond, now.bytesPerSecond), since: now.at } };
}
