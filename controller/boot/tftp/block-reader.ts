import type { FileContent } from "./file-content.ts";

/** Minimum to read from the file at once: a few windows of an ordinary transfer. */
const minReadBytes = 128 * 1024;

/**
 * Cuts a file into blocks, with one bounded piece of it in memory: at most the larger of 128 KiB and two windows, and at
 * first one window, because many a request is never acknowledged.
 * The pieces are never written to again once read, so that blocks may share their memory while they wait to be sent.
 */
export class BlockReader {
  readonly #content: FileContent;
  readonly #blockSize: number;
  readonly #readBytes: number;
  #nextReadBytes: number;
  #piece: Uint8Array = new Uint8Array(0);
  #pieceStart = 0;

  constructor(content: FileContent, blockSize: number, windowSize: number) {
    this.#content = content;
    this.#blockSize = blockSize;
    this.#readBytes = Math.max(minReadBytes, 2 * windowSize * blockSize);
    this.#nextReadBytes = windowSize * blockSize;
  }

  /** A block, counted from 1, if its bytes are in memory. The last one is shorter than the others, possibly empty. */
  peek(block: number): Uint8Array | undefined {
    const { start, end } = this.#range(block);
    if (start < this.#pieceStart || end > this.#pieceStart + this.#piece.length) return undefined;
    return this.#piece.subarray(start - this.#pieceStart, end - this.#pieceStart);
  }

  /** Reads a block, and what follows it, into memory. Throws if the file has become shorter. */
  async load(block: number): Promise<void> {
    const { start } = this.#range(block);
    const piece = new Uint8Array(Math.min(this.#nextReadBytes, this.#content.sizeBytes - start));
    this.#nextReadBytes = this.#readBytes;
    let filled = 0;
    while (filled < piece.length) {
      const read = await this.#content.read(piece.subarray(filled), start + filled);
      if (read <= 0) throw new Error(`the file ends at ${start + filled} of ${this.#content.sizeBytes} bytes`);
      filled += read;
    }
    this.#piece = piece;
    this.#pieceStart = start;
  }

  #range(block: number): { start: number; end: number } {
    const start = (block - 1) * this.#blockSize;
    return { start, end: Math.min(start + this.#blockSize, this.#content.sizeBytes) };
  }
}
