/**
 * Starts work on items ahead of whoever reads the results, so many at most at once, and yields the results in the order of
 * the items. When a piece of work fails, or the reader stops, what is under way is waited for before this ends: whoever can
 * stop it has to.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  options: {
    readonly atOnce: number;
    readonly start: (item: Item) => Promise<Result>;
  },
): AsyncGenerator<Result, void, undefined> {
  const underWay: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = options.start(item);
      // Awaited below, or in `finally`.
      result.catch(() => undefined);
      underWay.push(result);
      const oldest = underWay[0];
      if (oldest === undefined || underWay.length < options.atOnce) continue;
      const done = await oldest;
      underWay.shift();
      yield done;
    }
    while (underWay[0] !== undefined) {
      const done = await underWay[0];
      underWay.shift();
      yield done;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
