import type { Extents } from "../map/extents.ts";

/** A piece of a disk. */
export interface DiskPiece {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** What is there; absent where it is all zeros. */
  readonly bytes?: Uint8Array;
}

/** A disk of a node, held for as long as it is read. */
export interface DiskReader {
  readonly sizeBytes: number;
  /**
   * Every byte of these parts, which begin and end at sectors, in ascending order: pieces without gaps. One read at a
   * time.
   */
  read(parts: Extents): AsyncIterable<DiskPiece>;
  /** Lets go of the disk. */
  close(): void;
}
