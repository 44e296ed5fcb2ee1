import { waitMs } from "./token-bucket.ts";

/** What a node asks for, and what it has received. */
export interface Lane {
  /** Bytes that it had, counted from where those stood that were served when it came; see chooseLane. */
  readonly served: number;
  /** The bucket of its own cap; undefined when nodes have none. */
  readonly paidAt: number | undefined;
}

/** Whose turn it is, or how long to wait. */
export type Choice<L> = { readonly lane: L } | { readonly waitMs: number };

/**
 * Whom to serve next: of the nodes that wait and whose own cap allows it, the one that has had least (start-time fair
 * queueing, Goyal, Vin and Cheng 1996), so that nobody starves and the total is shared evenly by those who can use it.
 *
 * @param lanes those that wait for something
 * @param totalPaidAt the bucket of all together; undefined when there is no cap on it
 * @param now milliseconds of the buckets' clock
 */
export function chooseLane<L extends Lane>(
  lanes: Iterable<L>,
  totalPaidAt: number | undefined,
  now: number,
): Choice<L> | undefined {
  const totalWait = totalPaidAt === undefined ? 0 : waitMs(totalPaidAt, now);
  let least: L | undefined;
  let soonest = Number.POSITIVE_INFINITY;
  for (const lane of lanes) {
    const wait = lane.paidAt === undefined ? 0 : waitMs(lane.paidAt, now);
    soonest = Math.min(soonest, wait);
    if (wait === 0 && (least === undefined || lane.served < least.served)) least = lane;
  }
  if (soonest === Number.POSITIVE_INFINITY) return undefined;
  if (least !== undefined && totalWait === 0) return { lane: least };
  return { waitMs: Math.max(soonest, totalWait) };
}
