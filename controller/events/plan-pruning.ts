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
 * nodes, and of each node so do the types of events: who has no more than his share loses nothing, whatever the others
 * do, and what he leaves is the others'.
 *
 * So at least a quarter of the log is the lane's own; and of that, among n nodes, at least an nth the node's own; and of
 * that, among k types, a kth the type's own: a node that registers a thousand times does not push out its own warning.
 */
export function planPruning(tallies: readonly EventTally[], keepAtMost: number): readonly EventCut[] {
  const lanes = new Map<EventLane, Map<NodeId | undefined, EventTally[]>>();
  for (const tally of tallies) {
    const lane = laneOf(tally.type);
    const owners = lanes.get(lane) ?? new Map<NodeId | undefined, EventTally[]>();
    lanes.set(lane, owners.set(tally.nodeId, [...(owners.get(tally.nodeId) ?? []), tally]));
  }
  const sizeOf = (kinds: readonly EventTally[]): number => kinds.reduce((sum, { count }) => sum + count, 0);
  const sizesOf = (owners: ReadonlyMap<unknown, readonly EventTally[]>): number[] => [...owners.values()].map(sizeOf);
  const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);
  const laneShare = fairShare(
    [...lanes.values()].map((owners) => total(sizesOf(owners))),
    keepAtMost,
  );
  return [...lanes.values()].flatMap((owners) => {
    const sizes = sizesOf(owners);
    const keep = Math.max(leastShare, fairShare(sizes, Math.min(total(sizes), laneShare)));
    return [...owners].flatMap(([nodeId, kinds]) => cutsOf(nodeId, kinds, keep));
  });
}

/** What to remove so that `keep` events about a node stay. */
function cutsOf(nodeId: NodeId | undefined, kinds: readonly EventTally[], keep: number): readonly EventCut[] {
  const counts = kinds.map(({ count }) => count);
  if (counts.reduce((sum, count) => sum + count, 0) <= keep) return [];
  const whose = nodeId === undefined ? {} : { nodeId };
  const share = fairShare(counts, keep);
  // Not one for each: the newest, whatever they are.
  if (share < leastShare) return [{ types: kinds.map(({ type }) => type), keep, ...whose }];
  return kinds.filter(({ count }) => count > share).map(({ type }) => ({ types: [type], keep: share, ...whose }));
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
