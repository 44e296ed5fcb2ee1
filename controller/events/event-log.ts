import type { Clock } from "../clock.ts";
import type { NodeId } from "../nodes/node.ts";
import type { EventRows } from "../store/event-rows.ts";
import type { Event, NewEvent } from "./event.ts";

/** Which events to give. */
export interface EventSelection {
  /** Only events with a greater id; 0 or absent for all. */
  readonly afterId?: number;
  readonly nodeId?: NodeId;
  readonly rolloutId?: string;
  /** Only the last so many of those that exist; 0 or absent for all. */
  readonly limit?: number;
}

/** What happened, oldest first, kept over restarts and bounded in number. */
export interface EventLog {
  append(event: NewEvent): Event;
  /** Events that exist, read from disk page by page as the caller takes them; those appended meanwhile not included. */
  list(selection?: EventSelection): Iterable<Event>;
  /**
   * Events that exist and then those to come, none missing and none twice, until `signal` aborts; that ends the
   * iteration without an error. A slow reader costs no memory: events wait on disk.
   */
  follow(selection: EventSelection, signal: AbortSignal): AsyncIterable<Event>;
}

/** How many events are read at once. */
const pageSize = 500;

/** Keeps the log in `rows`, with at most about `keepAtMost` events (a tenth more between two prunings). */
export function createEventLog(options: {
  readonly rows: EventRows;
  readonly clock: Pick<Clock, "now">;
  readonly keepAtMost?: number;
}): EventLog {
  const { rows, clock, keepAtMost = 100_000 } = options;
  const pruneEvery = Math.max(1, Math.floor(keepAtMost / 10));
  const followers = new Set<() => void>();
  rows.prune(keepAtMost);

  function* page(selection: EventSelection, upToId: number): Generator<Event, void> {
    let afterId = firstAfterId(selection);
    for (;;) {
      const events = rows.read({ ...selection, afterId, count: pageSize, keep: "oldest" });
      for (const event of events) {
        if (event.id > upToId) return;
        yield event;
        afterId = event.id;
      }
      if (events.length < pageSize) return;
    }
  }

  /** Where to begin so that only the last `limit` of the existing events are given. */
  function firstAfterId(selection: EventSelection): number {
    const { afterId = 0, limit = 0 } = selection;
    if (limit === 0) return afterId;
    const [oldest] = rows.read({ ...selection, afterId, count: limit, keep: "newest" });
    return oldest === undefined ? afterId : oldest.id - 1;
  }

  return {
    append(event) {
      const at = clock.now();
      const id = rows.add({ ...event, at });
      if (id % pruneEvery === 0) rows.prune(keepAtMost);
      for (const wake of [...followers]) wake();
      return { ...event, id, at };
    },

    *list(selection = {}) {
      yield* page(selection, rows.lastId());
    },

    async *follow(selection, signal) {
      let afterId = firstAfterId(selection);
      while (!signal.aborted) {
        const seenUpTo = rows.lastId();
        for (const event of page({ ...selection, afterId, limit: 0 }, seenUpTo)) {
          if (signal.aborted) return;
          yield event;
        }
        afterId = Math.max(afterId, seenUpTo);
        // No await lies between this comparison and the start of the wait, so no append can fall between them.
        if (rows.lastId() === seenUpTo) await nextAppend(signal);
      }
    },
  };

  function nextAppend(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        followers.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return done();
      followers.add(done);
      signal.addEventListener("abort", done);
    });
  }
}
