import { allocatePageAligned } from "../disk/page-aligned.ts";

/** Size in which devices are written and read, and of which digests are kept: a multiple of every erase block. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/** A piece of the image on its way to the device. */
export interface Block {
  /** Where it belongs, in bytes from the start of the device. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Page-aligned; holds the bytes at its start. Behind them is room for padding. */
  readonly buffer: Buffer<ArrayBuffer>;
}

/** Page-aligned buffers of one block each, used again and again, so that memory stays constant. */
export interface BufferPool {
  /** Throws when all are out: whoever takes has to know how many can be. */
  take(): Buffer<ArrayBuffer>;
  give(buffer: Buffer<ArrayBuffer>): void;
}

/** A pool of so many buffers. */
export function createBufferPool(count: number): BufferPool {
  const memory = allocatePageAligned(count * BLOCK_BYTES);
  const free = Array.from({ length: count }, (_, index) =>
    memory.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  );
  return {
    take() {
      const buffer = free.pop();
      if (buffer === undefined) throw new Error(`all ${count} block buffers are in use`);
      return buffer;
    },
    give: (buffer) => void free.push(buffer),
  };
}

/**
 * Regroups bytes into blocks that end at multiples of BLOCK_BYTES of the device. The first starts at `startBytes`. Each
 * block's buffer comes from the pool, and whoever receives the block gives it back.
 */
export async function* intoBlocks(
  source: AsyncIterable<Uint8Array>,
  startBytes: number,
  pool: BufferPool,
): AsyncGenerator<Block, void, undefined> {
  let offsetBytes = startBytes;
  let buffer: Buffer<ArrayBuffer> | undefined;
  let lengthBytes = 0;
  for await (const bytes of source) {
    for (let from = 0; from < bytes.length; ) {
      buffer ??= pool.take();
      const room = BLOCK_BYTES - (offsetBytes % BLOCK_BYTES) - lengthBytes;
      const piece = bytes.subarray(from, from + room);
      buffer.set(piece, lengthBytes);
      lengthBytes += piece.length;
      from += piece.length;
      if (piece.length < room) continue;
      yield { offsetBytes, lengthBytes, buffer };
      offsetBytes += lengthBytes;
      lengthBytes = 0;
      buffer = undefined;
    }
  }
  if (buffer !== undefined) yield { offsetBytes, lengthBytes, buffer };
}
