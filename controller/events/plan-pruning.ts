import type { NodeId } from "../../proto/names/node-id.ts";
import { type EventLane, laneOf } from "./event-lane.ts";

/** How many events of one type there are about one node, or about none. */
export interface EventTally {
  readonly type: string;
  readonly nodeId?: NodeId;
  readonly count: number;
}

/** Of the events of these types about this node, or about none, only the newest `keep` are to stay. */
export interface EventCut {
  readonly types: readonly string[];
  readonly nodeId?: NodeId;
  readonly keep: number;
}

/** Nobody loses his last word, however many others there are. */
const leastShare = 1;

/**
 * What to remove so that about `keepAtMost` events stay. The lanes share the place fairly, and in each lane so do the
 * nodes: who has no more than his share loses nothing, whatever the others do, and what he leaves is the others'.
 *
 * So at least a quarter of the log is the lane's own; and of that, among n nodes, at least an nth the node's own.
 */
export function planPruning(tallies: readonly EventTally[], keepAtMost: number): readonly EventCut[] {
  const lanes = new Map<EventLane, Map<NodeId | undefined, { count: number; types: string[] }>>();
  for (const { type, nodeId, count } of tallies) {
    const lane = laneOf(type);
    const owners = lanes.get(lane) ?? new Map<NodeId | undefined, { count: number; types: string[] }>();
    const owner = owners.get(nodeId) ?? { count: 0, types: [] };
    owner.count += count;
    owner.types.push(type);
    lanes.set(lane, owners.set(nodeId, owner));
  }
  const sizeOf = (owners: ReadonlyMap<unknown, { readonly count: number }>): number =>
    [...owners.values()].reduce((sum, { count }) => sum + count, 0);
  const laneShare = fairShare([...lanes.values()].map(sizeOf), keepAtMost);
  return [...lanes.values()].flatMap((owners) => {
    const counts = [...owners.values()].map(({ count }) => count);
    const keep = Math.max(leastShare, fairShare(counts, Math.min(sizeOf(owners), laneShare)));
    return [...owners].flatMap(([nodeId, { count, types }]) =>
      count > keep ? [{ types, keep, ...(nodeId !== undefined && { nodeId }) }] : [],
    );
  });
}

/**
 * The largest whole number such that, if nobody gets more than that, all together get at most `total` (max-min
 * fairness); infinite when all can have what they want.
 */
export function fairShare(wants: readonly number[], total: number): number {
  let left = total;
  const rising = wants.toSorted((one, other) => one - other);
  for (const [index, want] of rising.entries()) {
    const share = left / (rising.length - index);
    if (want > share) return Math.floor(share);
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}
