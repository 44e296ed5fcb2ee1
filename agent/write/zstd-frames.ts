import { Failure } from "../../proto/failure.ts";

const FRAME_MAGIC = 0xfd2fb528;
/** 0x184D2A50 to 0x184D2A5F introduce a skippable frame. */
const SKIPPABLE_MAGIC = 0x184d2a5;

/** Follows the frames of a zstd stream (RFC 8878 section 3.1) without decompressing. */
export interface FrameTracker {
  /** The index in the chunk behind the last byte, from `from` on, that belongs to the current frame. */
  advance(chunk: Uint8Array, from: number): number;
  /** Whether the stream may end here. */
  readonly betweenFrames: boolean;
}

/** What the next field is: how many of its bytes to look at, then what they mean. */
interface Field {
  readonly lengthBytes: number;
  /** The field that follows, after so many bytes of content; "end" at the end of the frame. */
  read(bytes: DataView): { readonly contentBytes: number; readonly next: Field | "end" };
}

const magic: Field = {
  lengthBytes: 4,
  read(bytes) {
    const value = bytes.getUint32(0, true);
    if (value === FRAME_MAGIC) return { contentBytes: 0, next: descriptor };
    if (value >>> 4 === SKIPPABLE_MAGIC) return { contentBytes: 0, next: skippableSize };
    throw damaged("it holds bytes that start no zstd frame");
  },
};

const skippableSize: Field = {
  lengthBytes: 4,
  read: (bytes) => ({ contentBytes: bytes.getUint32(0, true), next: "end" }),
};

const descriptor: Field = {
  lengthBytes: 1,
  read(bytes) {
    const flags = bytes.getUint8(0);
    const singleSegment = (flags & 0x20) !== 0;
    const windowBytes = singleSegment ? 0 : 1;
    const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
    const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
    return {
      contentBytes: windowBytes + dictionaryBytes + contentSizeBytes,
      next: blockHeader((flags & 0x04) === 0 ? 0 : 4),
    };
  },
};

const blockHeader = (checksumBytes: number): Field => ({
  lengthBytes: 3,
  read(bytes) {
    const header = bytes.getUint16(0, true) | (bytes.getUint8(2) << 16);
    const type = (header >> 1) & 3;
    if (type === 3) throw damaged("it holds a block of the reserved type");
    const blockBytes = type === 1 ? 1 : header >> 3;
    const last = (header & 1) === 1;
    return last
      ? { contentBytes: blockBytes + checksumBytes, next: "end" }
      : { contentBytes: blockBytes, next: blockHeader(checksumBytes) };
  },
});

/** Throws a Failure "image-damaged" from advance() when the bytes are no zstd frames. */
export function createFrameTracker(): FrameTracker {
  const field = new DataView(new ArrayBuffer(4));
  let filled = 0;
  let current: Field = magic;
  let content = 0;
  let next: Field | "end" | undefined;

  return {
    advance(chunk, from) {
      let at = from;
      for (;;) {
        const skipped = Math.min(content, chunk.length - at);
        at += skipped;
        content -= skipped;
        if (content === 0 && next !== undefined) {
          const ended = next === "end";
          current = next === "end" ? magic : next;
          next = undefined;
          if (ended) return at;
        }
        const byte = chunk[at];
        if (byte === undefined) return at;
        field.setUint8(filled, byte);
        filled += 1;
        at += 1;
        if (filled < current.lengthBytes) continue;
        const meaning = current.read(field);
        filled = 0;
        content = meaning.contentBytes;
        next = meaning.next;
      }
    },
    get betweenFrames() {
      return current === magic && filled === 0 && next === undefined;
    },
  };
}

/**
 * The same bytes, cut so that no piece reaches from one frame into the next: Node's decompressor silently drops what
 * follows the end of a frame within the same piece. Throws a Failure "image-damaged" when they are no zstd frames or end
 * within one.
 */
export async function* splitFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const tracker = createFrameTracker();
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; ) {
      const end = tracker.advance(chunk, from);
      yield chunk.subarray(from, end);
      from = end;
    }
  }
  if (!tracker.betweenFrames) throw damaged("it ends within a zstd frame");
}

function damaged(finding: string): Failure {
  return new Failure("image-damaged", `the fetched image is damaged: ${finding}`);
}
