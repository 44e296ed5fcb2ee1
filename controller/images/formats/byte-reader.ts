/** Reads a stream in pieces of wanted lengths. */
export interface ByteReader {
  /** Exactly this many bytes; fewer only where the stream ends. For headers: they are copied. */
  take(lengthBytes: number): Promise<Buffer>;
  /** The next bytes as they come, at most this many; undefined at the end. */
  next(mostBytes?: number): Promise<Buffer | undefined>;
  /** Gives bytes back, to be read again next. */
  unread(bytes: Buffer): void;
  /** Tells the source that no more is wanted; does not wait for its answer. */
  close(): void;
  /** The error with which the source broke, if it did. */
  error(): unknown;
}

/** Creates a reader of all that `source` gives; its errors come through. */
export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let failure: unknown;
  const next: ByteReader["next"] = async (mostBytes = Number.POSITIVE_INFINITY) => {
    while (held.length === 0) {
      try {
        const item = await iterator.next();
        if (item.done === true) return undefined;
        held = Buffer.from(item.value.buffer, item.value.byteOffset, item.value.length);
      } catch (error) {
        failure = error;
        throw error;
      }
    }
    const bytes = held.subarray(0, mostBytes);
    held = held.subarray(bytes.length);
    return bytes;
  };
  return {
    next,
    async take(lengthBytes) {
      const parts: Buffer[] = [];
      for (let missing = lengthBytes; missing > 0; ) {
        const bytes = await next(missing);
        if (bytes === undefined) break;
        parts.push(bytes);
        missing -= bytes.length;
      }
      return Buffer.concat(parts);
    },
    unread(bytes) {
      held = held.length === 0 ? bytes : Buffer.concat([bytes, held]);
    },
    close: () => void iterator.return?.().catch(() => {}),
    error: () => failure,
  };
}
