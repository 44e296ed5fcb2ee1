import { allocatePageAligned } from "../disk/page-aligned.ts";

const PAGE_BYTES = 4096;

/** The beginning of a stream, kept, and what follows it, still to be read. */
export interface SplitHead {
  /** Page-aligned, exactly as long as was asked unless the stream is shorter. */
  readonly head: Buffer<ArrayBuffer>;
  readonly rest: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Reads so many bytes of a stream into memory and hands over the rest as a stream. */
export async function splitHead(source: AsyncIterable<Uint8Array>, headBytes: number): Promise<SplitHead> {
  // Room up to the page's end, for whoever pads the head to the device's sector.
  const buffer = allocatePageAligned(Math.ceil(headBytes / PAGE_BYTES) * PAGE_BYTES);
  const iterator = source[Symbol.asyncIterator]();
  let filled = 0;
  let left: Uint8Array = new Uint8Array();
  while (filled < headBytes) {
    const { done, value } = await iterator.next();
    if (done) break;
    const piece = value.subarray(0, headBytes - filled);
    buffer.set(piece, filled);
    filled += piece.length;
    left = value.subarray(piece.length);
  }
  return { head: buffer.subarray(0, filled), rest: follow(left, iterator) };
}

async function* follow(
  left: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (left.length > 0) yield left;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
