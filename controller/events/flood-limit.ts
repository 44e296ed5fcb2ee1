import { remember } from "../records/remember.ts";
import type { NewEvent } from "./event.ts";
import { type EventLane, laneOf } from "./event-lane.ts";

/** Holds back events of which there are too many, at their source, before they cost a write to disk each. */
export interface FloodLimit {
  /**
   * The event as it is to be kept; undefined when it is one too many. What is left out is told by the next that is kept.
   *
   * @param source IP address of who caused it, where that is known: one stranger takes no other's place
   */
  admit(event: NewEvent, at: number, source?: string): NewEvent | undefined;
}

/** How many at once, and how long it then takes until there may be one more, in milliseconds. */
interface Rate {
  readonly burst: number;
  readonly everyMs: number;
}

/**
 * How many events of one type about one node are kept. A node that boots has a few steps a minute; a loop has them for
 * days. Verdicts and phases are never held back: nobody on the network can make one.
 */
const ofOne: Readonly<Partial<Record<EventLane, Rate>>> = {
  signs: { burst: 200, everyMs: 10_000 },
  steps: { burst: 60, everyMs: 20_000 },
};
/** How many of a lane about all nodes together; warnings do not count, and are not held back by it. */
const ofAll: Rate = { burst: 20_000, everyMs: 10 };
/** All who are no known node share one place; there may be a rack of them. */
const strangersFactor = 10;
/** More than all nodes have types of events. */
const mostKeys = 50_000;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
  readonly leftOut: number;
}

export function createFloodLimit(): FloodLimit {
  const buckets = new Map<string, Bucket>();

  const filled = (key: string, { burst, everyMs }: Rate, at: number): Bucket => {
    const before = buckets.get(key) ?? { tokens: burst, at, leftOut: 0 };
    // A clock that was set back gives nothing, and takes nothing away.
    return { ...before, tokens: Math.min(burst, before.tokens + Math.max(0, at - before.at) / everyMs), at };
  };

  return {
    admit(event, at, source) {
      const lane = laneOf(event.type);
      const one = ofOne[lane];
      if (one === undefined) return event;
      const strangers = { burst: one.burst * strangersFactor, everyMs: one.everyMs / strangersFactor };
      const rates: (readonly [key: string, rate: Rate])[] = [
        [`${event.type} ${event.nodeId ?? ""}`, event.nodeId === undefined ? strangers : one],
      ];
      if (event.nodeId === undefined && source !== undefined) rates.push([`${event.type} from ${source}`, one]);
      if (event.severity === "info") rates.push([lane, ofAll]);
      const found = rates.map(([key, rate]) => [key, filled(key, rate, at)] as const);
      const isAdmitted = found.every(([, { tokens }]) => tokens >= 1);
      const [first] = found;
      for (const [key, bucket] of found) {
        // What is left out is counted once.
        const leftOut = isAdmitted ? 0 : bucket.leftOut + (key === first?.[0] ? 1 : 0);
        remember(buckets, key, { ...bucket, tokens: bucket.tokens - (isAdmitted ? 1 : 0), leftOut }, mostKeys);
      }
      const leftOut = first?.[1].leftOut ?? 0;
      if (!isAdmitted) return undefined;
      if (leftOut === 0) return event;
      return { ...event, message: `${event.message} (${leftOut} more of this kind before it were not kept)` };
    },
  };
}
