/**
 * Starts work on items ahead of the reader, with a concurrency limit, and yields the results in the order of the items.
 * If a piece of work fails, or the reader stops, this waits for the work in progress before it ends: the caller has to
 * stop that, if it can.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  options: {
    readonly atOnce: number;
    readonly start: (item: Item) => Promise<Result>;
  },
): AsyncGenerator<Result, void, undefined> {
  const source = items[Symbol.iterator]();
  const underWay: Promise<Result>[] = [];
  const startNext = (): void => {
    const next = source.next();
    if (next.done === true) return;
    const result = options.start(next.value);
    // Awaited below, or in `finally`.
    result.catch(() => undefined);
    underWay.push(result);
  };
  try {
    for (let started = 0; started < options.atOnce; started += 1) startNext();
    while (underWay[0] !== undefined) {
      const done = await underWay[0];
      underWay.shift();
      // Before the reader gets to work, so that as many are under way in the meantime.
      startNext();
      yield done;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
