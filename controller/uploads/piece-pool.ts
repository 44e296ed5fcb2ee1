import { limits } from "../../proto/limits.ts";

/** Memory for the pieces of a file, used again and again. */
export interface PiecePool {
  /** Memory for `limits.uploads.chunkBytes` bytes, with rubbish in it. */
  take(): Uint8Array;
  /** Gives memory back, or a part of it for all; of what is not from here nothing is kept. Nobody may use it any more. */
  release(piece: Uint8Array): void;
}

const pieceBytes = limits.uploads.chunkBytes.most;

/**
 * Node allocates memory for whatever it reads, and for each 64 MiB of that V8 goes over all of its heap: for a file of
 * 2 GiB that took as long as to compress it (measured). What is never released goes to the collector.
 */
export function createPiecePool(): PiecePool {
  const mine = new WeakSet<ArrayBufferLike>();
  const idle: Uint8Array[] = [];
  return {
    take() {
      const known = idle.pop();
      if (known !== undefined) return known;
      const piece = new Uint8Array(new ArrayBuffer(pieceBytes));
      mine.add(piece.buffer);
      return piece;
    },
    release({ buffer }) {
      if (mine.has(buffer) && !idle.some((each) => each.buffer === buffer)) idle.push(new Uint8Array(buffer));
    },
  };
}
