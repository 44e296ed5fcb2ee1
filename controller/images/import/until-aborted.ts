/**
 * The items of `source` until the signal comes, which is thrown even while the source is silent. (A stream's own signal
 * would wait for the source to answer first.)
 */
export async function* untilAborted<Item>(source: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const next = await nextUnlessAborted(iterator, signal);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // A silent source would not answer this either, so it is notified without waiting; its own error was thrown above.
    if (!ended) iterator.return?.().catch(() => {});
  }
}

/**
 * One step of an iterator, or the signal's reason. No promise here outlives its step: one that did would, by what was
 * raced against it, hold every item that ever came, an image of gigabytes.
 */
function nextUnlessAborted<Item>(iterator: AsyncIterator<Item>, signal: AbortSignal): Promise<IteratorResult<Item>> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
