/**
 * The items of `source` until the signal comes, which is thrown even while the source is silent. (A stream's own signal
 * would wait for the source to answer first.)
 */
export async function* untilAborted<Item>(source: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  // Nobody may be waiting when it comes.
  aborted.promise.catch(() => {});
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const next = await Promise.race([aborted.promise, iterator.next()]);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    // A silent source would not answer this either, so it is told and not waited for; its own error was thrown above.
    if (!ended) iterator.return?.().catch(() => {});
  }
}
