import { createBell } from "../../proto/time/bell.ts";
/** A record in an append-only list: its id rises and is never reused. */
export interface NumberedRecord {
  readonly id: number;
}

/** Which part of the records to return. */
export interface RecordSpan {
  /** Only records with a greater id; 0 or absent for all. */
  readonly afterId?: number;
  /** At most this many of the latest existing ones; 0 or absent for all. */
  readonly limit?: number;
}

/** The selection of one page, in addition to other filters. */
export interface RecordPage {
  /** Only records with a greater id. */
  readonly afterId: number;
  /** How many at most. */
  readonly count: number;
  /** Which of them, when there are more than `count`: the oldest or the newest. The answer is oldest first anyway. */
  readonly prefer: "oldest" | "newest";
}

/** The records as they are on disk. */
export interface RecordRows<Kept extends NumberedRecord, Filter extends object> {
  /** Oldest first. */
  read(query: Filter & RecordPage): Kept[];
  /** Id of the newest record ever added; 0 before the first. */
  lastId(): number;
}

/** Gives records out to readers, oldest first. */
export interface RecordReader<Kept extends NumberedRecord, Filter extends object> {
  /** Records that exist, read page by page as the caller takes them; those added meanwhile not included. */
  list(filter: Filter, span: RecordSpan): Generator<Kept, void>;
  /**
   * Records that exist and then those to come, none missing and none twice, until `signal` aborts; that ends the
   * iteration without an error. A slow reader costs no memory: records wait on disk.
   */
  follow(filter: Filter, span: RecordSpan, signal: AbortSignal): AsyncGenerator<Kept, void>;
  /** Has to be called after records were added. */
  added(): void;
}

/** How many records are read at once. */
const pageSize = 500;

/** Reads from `rows`. */
export function createRecordReader<Kept extends NumberedRecord, Filter extends object>(
  rows: RecordRows<Kept, Filter>,
): RecordReader<Kept, Filter> {
  const addition = createBell();

  function* pages(filter: Filter, firstAfter: number, upToId: number): Generator<Kept, void> {
    let afterId = firstAfter;
    for (;;) {
      const records = rows.read({ ...filter, afterId, count: pageSize, prefer: "oldest" });
      for (const record of records) {
        if (record.id > upToId) return;
        yield record;
        afterId = record.id;
      }
      if (records.length < pageSize) return;
    }
  }

  /** Where to begin so that only the last `limit` of the existing records are given. */
  function firstAfterId(filter: Filter, { afterId = 0, limit = 0 }: RecordSpan): number {
    if (limit === 0) return afterId;
    const [oldest] = rows.read({ ...filter, afterId, count: limit, prefer: "newest" });
    return oldest === undefined ? afterId : oldest.id - 1;
  }

  return {
    *list(filter, span) {
      const upToId = rows.lastId();
      yield* pages(filter, firstAfterId(filter, span), upToId);
    },

    async *follow(filter, span, signal) {
      let afterId = firstAfterId(filter, span);
      while (!signal.aborted) {
        const seenUpTo = rows.lastId();
        for (const record of pages(filter, afterId, seenUpTo)) {
          if (signal.aborted) return;
          yield record;
        }
        afterId = Math.max(afterId, seenUpTo);
        // No await is between this comparison and the start of the wait, so no addition can fall between them.
        if (rows.lastId() === seenUpTo) await addition.next(signal);
      }
    },

    added: addition.ring,
  };
}
