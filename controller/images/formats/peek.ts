import { detectionBytes } from "./detect-format.ts";

/** A stream whose first bytes were looked at. */
export interface Peeked {
  readonly firstBytes: Buffer;
  /** The whole of it, once. */
  readonly all: AsyncGenerator<Uint8Array>;
}

/**
 * Looks at the first bytes of a stream, for detection, and lets `use` have it. Whatever comes of that, the source is
 * closed then: a generator that nobody has begun would close nothing by its own end.
 */
export async function peek<Result>(
  source: AsyncIterable<Uint8Array>,
  use: (peeked: Peeked) => Promise<Result>,
): Promise<Result> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const first: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < detectionBytes) {
      const next = await iterator.next();
      if (next.done) break;
      first.push(next.value);
      bytes += next.value.length;
    }
    const all = (async function* () {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    })();
    return await use({ firstBytes: Buffer.concat(first).subarray(0, detectionBytes), all });
  } finally {
    await iterator.return?.();
  }
}
