import { remember } from "../records/remember.ts";
import type { NewEvent } from "./event.ts";
import { type EventLane, laneOf } from "./event-lane.ts";

/** Holds back events of which there are too many, at their source, before they cost a write to disk each. */
export interface FloodLimit {
  /** The event as it is to be kept; undefined when it is one too many. What is left out is told by the next that is kept. */
  admit(event: NewEvent, at: number): NewEvent | undefined;
}

/**
 * How many events of one type about one node are kept at once, and how long it then takes until one more is, in
 * milliseconds. A node that boots has a few steps a minute; a loop has them for days. Verdicts and phases are never
 * held back: nobody on the network can make one.
 */
const limits: Readonly<Partial<Record<EventLane, { readonly burst: number; readonly everyMs: number }>>> = {
  signs: { burst: 200, everyMs: 10_000 },
  steps: { burst: 60, everyMs: 20_000 },
};
/** All who are no known node share one place; there may be a rack of them. */
const strangersFactor = 10;
/** More than all nodes have types of events. */
const mostKeys = 50_000;

export function createFloodLimit(): FloodLimit {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number; readonly leftOut: number }>();
  return {
    admit(event, at) {
      const limit = limits[laneOf(event.type)];
      if (limit === undefined) return event;
      const factor = event.nodeId === undefined ? strangersFactor : 1;
      const burst = limit.burst * factor;
      const key = `${event.type} ${event.nodeId ?? ""}`;
      const before = buckets.get(key) ?? { tokens: burst, at, leftOut: 0 };
      // A clock that was set back gives nothing, and takes nothing away.
      const grown = (Math.max(0, at - before.at) / limit.everyMs) * factor;
      const tokens = Math.min(burst, before.tokens + grown);
      const isAdmitted = tokens >= 1;
      remember(
        buckets,
        key,
        { tokens: isAdmitted ? tokens - 1 : tokens, at, leftOut: isAdmitted ? 0 : before.leftOut + 1 },
        mostKeys,
      );
      if (!isAdmitted) return undefined;
      if (before.leftOut === 0) return event;
      return { ...event, message: `${event.message} (${before.leftOut} more of this kind before it were not kept)` };
    },
  };
}
