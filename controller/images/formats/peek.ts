import { detectionBytes } from "./detect-format.ts";

/** The first bytes of a stream for detection, and the whole of it. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly firstBytes: Buffer; readonly all: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < detectionBytes) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  const all = (async function* () {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
  return { firstBytes: Buffer.concat(first).subarray(0, detectionBytes), all };
}
