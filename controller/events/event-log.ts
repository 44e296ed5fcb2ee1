import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { authorNow } from "../callers/author.ts";
import type { Caller } from "../callers/caller.ts";
import { createRecordReader, type RecordPage, type RecordSpan } from "../records/record-reader.ts";
import { isUnavailable } from "../refusal/refusal.ts";
import type { Event, NewEvent } from "./event.ts";
import { createFloodLimit } from "./flood-limit.ts";
import { type EventCut, type EventTally, planPruning } from "./plan-pruning.ts";

/** How many events wait in memory for a disk that does not take them. */
const mostWaiting = 1000;

/** Which events are wanted. */
export interface EventFilter {
  readonly nodeId?: NodeId;
  /** Those of one of these nodes. */
  readonly nodeIds?: readonly NodeId[];
  readonly rolloutId?: string;
  readonly by?: AuthorFilter;
}

/** Whose events are wanted: those of one who fits any of these. */
export interface AuthorFilter {
  /** All of a kind. */
  readonly kind?: Caller["kind"];
  /** The name of a user or operator. */
  readonly name?: string;
  readonly uid?: number;
  readonly nodeId?: NodeId;
}

/** The events on disk. */
export interface EventRows {
  /**
   * Adds an event and returns its id, which rises and is never reused, not even after pruning. It survives the death of
   * this process at once, a power cut only after the next change that is durable.
   */
  add(event: Omit<Event, "id">): number;
  /** Oldest first. */
  read(query: EventFilter & RecordPage): Event[];
  /** Id of the newest event ever added; 0 before the first. */
  lastId(): number;
  /** How many there are, by type and node. */
  tally(): EventTally[];
  /** Removes the oldest of each kind, all or nothing. */
  cut(cuts: readonly EventCut[]): void;
}

/** Which events to return. */
export type EventSelection = EventFilter & RecordSpan;

/**
 * What happened, oldest first, kept over restarts and bounded in number. What matters outlives floods of what does not:
 * see `planPruning` for what goes first, and `createFloodLimit` for what is not kept at all.
 */
export interface EventLog {
  /**
   * Adds an event in the name of whoever the running code acts for (see `authorNow`).
   * Returns the event as it was kept; undefined when it was one of too many, or when the disk does not take it now: then
   * it is kept in memory (the newest 1,000) and written with the next one, at the time at which it happened. Nobody's
   * work fails because it cannot be told.
   */
  append(event: NewEvent): Event | undefined;
  /** Writes what the disk did not take. */
  catchUp(): void;
  /** Events that exist, read from disk page by page as the caller takes them; those appended meanwhile not included. */
  list(selection?: EventSelection): Iterable<Event>;
  /**
   * Events that exist and then those to come, none missing and none twice, until `signal` aborts; that ends the
   * iteration without an error. A slow reader costs no memory: events wait on disk.
   */
  follow(selection: EventSelection, signal: AbortSignal): AsyncIterable<Event>;
}

/** Keeps the log in `rows`, with at most about `keepAtMost` events (a tenth more between two prunings). */
export function createEventLog(options: {
  readonly rows: EventRows;
  readonly clock: Pick<Clock, "now">;
  /** For rates; default: the clock, which nobody sets then. */
  readonly monotonic?: Pick<Clock, "now">;
  readonly keepAtMost?: number;
}): EventLog {
  const { rows, clock, monotonic = clock, keepAtMost = 100_000 } = options;
  const pruneEvery = Math.max(1, Math.floor(keepAtMost / 10));
  const reader = createRecordReader<Event, EventFilter>(rows);
  const flood = createFloodLimit();
  const prune = (): void => {
    const cuts = planPruning(rows.tally(), keepAtMost);
    if (cuts.length > 0) rows.cut(cuts);
  };
  /** Oldest first. */
  const waiting: Omit<Event, "id">[] = [];
  let dropped = 0;

  /** Writes all that waits. Returns the last, unless the disk does not take it. */
  function write(): Event | undefined {
    let last: Event | undefined;
    try {
      if (dropped > 0 && waiting.length > 0) {
        const message = `${dropped} events are missing before this one: the disk did not take them`;
        rows.add({ at: clock.now(), type: "events-lost", severity: "warning", message, by: { kind: "controller" } });
        dropped = 0;
      }
      for (let [next] = waiting; next !== undefined; [next] = waiting) {
        last = { ...next, id: rows.add(next) };
        waiting.shift();
        if (last.id % pruneEvery === 0) prune();
      }
    } catch (error) {
      if (!isUnavailable(error)) {
        waiting.shift();
        throw error;
      }
      while (waiting.length > mostWaiting) {
        waiting.shift();
        dropped += 1;
      }
      if (waiting.length > 0) return undefined;
    } finally {
      if (last !== undefined) reader.added();
    }
    return last;
  }

  try {
    prune();
  } catch (error) {
    // It is done again after the next events.
    if (!isUnavailable(error)) throw error;
  }

  return {
    append(said) {
      const at = clock.now();
      const author = authorNow();
      const event = flood.admit(said, monotonic.now(), author.from);
      if (event === undefined) return undefined;
      waiting.push({ ...event, ...author, at });
      return write();
    },
    catchUp() {
      write();
    },
    list: ({ afterId = 0, limit = 0, ...filter } = {}) => reader.list(filter, { afterId, limit }),
    follow: ({ afterId = 0, limit = 0, ...filter }, signal) => reader.follow(filter, { afterId, limit }, signal),
  };
}
