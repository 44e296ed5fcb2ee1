import { limits } from "../../proto/limits.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";

/** What a batch of a node's log costs. */
export interface LogCost {
  readonly records: number;
  /** UTF-16 code units of text. */
  readonly characters: number;
}

/** How much of its log each node may hand over: a bucket for each, that fills with time. */
export interface LogQuota {
  /**
   * Whether a batch of the node is taken now; then it is paid for. One that is larger than what is left is taken too, as
   * long as something is left: a batch cannot be too large ever to be taken.
   */
  admits(id: NodeId, cost: LogCost): boolean;
  forget(id: NodeId): void;
}

const burst: LogCost = { records: limits.logs.burstRecords.most, characters: limits.logs.burstCharacters.most };
const perSecond: LogCost = {
  records: limits.logs.recordsPerSecond.most,
  characters: limits.logs.charactersPerSecond.most,
};

/** `clock` has to be a monotonic one. */
export function createLogQuota(clock: Pick<Clock, "now">): LogQuota {
  const left = new Map<NodeId, LogCost & { readonly at: number }>();
  return {
    admits(id, { records, characters }) {
      const at = clock.now();
      const before = left.get(id) ?? { ...burst, at };
      const seconds = (at - before.at) / 1000;
      const now = {
        records: Math.min(burst.records, before.records + seconds * perSecond.records),
        characters: Math.min(burst.characters, before.characters + seconds * perSecond.characters),
      };
      const isAdmitted = now.records > 0 && now.characters > 0;
      const spent = isAdmitted ? { records: now.records - records, characters: now.characters - characters } : now;
      left.set(id, { ...spent, at });
      return isAdmitted;
    },
    forget(id) {
      left.delete(id);
    },
  };
}
