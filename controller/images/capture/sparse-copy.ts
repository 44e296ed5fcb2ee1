import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import type { ReadBytes } from "../formats/partition-table.ts";
import { countBytes, type Extents, intersect, subtract, toExtents } from "../map/extents.ts";
import type { DiskReader } from "./disk-reader.ts";

/** Bytes that are wanted and have not been fetched. */
export class NotFetched extends Error {
  readonly extents: Extents;

  constructor(extents: Extents) {
    super("bytes of the disk are wanted that have not been fetched");
    this.extents = extents;
  }
}

/** A raw file that becomes the copy of a disk: what has not been fetched is a hole in it. */
export interface SparseCopy {
  readonly path: string;
  readonly file: FileHandle;
  /** Reads what was fetched; throws NotFetched for anything else. Shorter only where the copy ends. */
  readonly read: ReadBytes;
  /** Fetches what is not there yet, rounded to sectors. */
  fetch(extents: Extents): Promise<void>;
  /** What of these has been fetched. */
  fetched(of: Extents): Extents;
  /** Zeros what was fetched of these. It counts as not fetched from then on, and can be fetched again. */
  forget(extents: Extents): Promise<void>;
  /** Zeros what was fetched of these for good. */
  erase(extents: Extents): Promise<void>;
  /** Cuts it to a length. */
  cut(sizeBytes: number): Promise<void>;
  /** Once more does nothing. */
  close(): Promise<void>;
}

const zeros = Buffer.alloc(1 << 20);

/**
 * Opens a copy in a new file, as long as the disk and empty.
 *
 * @param onBytes called with the number of bytes that came, at every piece
 */
export async function openSparseCopy(
  path: string,
  disk: DiskReader,
  onBytes: (bytes: number) => void,
): Promise<SparseCopy> {
  const file = await open(path, "wx+");
  let sizeBytes = disk.sizeBytes;
  let known: Extents = [];
  await file.truncate(sizeBytes);

  const within = (extents: Extents): Extents =>
    toExtents(
      extents.map(({ start, end }) => ({
        start: Math.max(0, start - (start % sectorBytes)),
        end: Math.min(sizeBytes, Math.ceil(end / sectorBytes) * sectorBytes),
      })),
    );

  const erase = async (extents: Extents): Promise<void> => {
    for (const { start, end } of intersect(extents, known))
      for (let at = start; at < end; at += zeros.length)
        await writeFully(file, zeros.subarray(0, Math.min(zeros.length, end - at)), at);
  };
  let isOpen = true;

  return {
    path,
    file,
    read(offsetBytes, lengthBytes) {
      const end = Math.min(offsetBytes + lengthBytes, sizeBytes);
      if (offsetBytes >= end) return Buffer.alloc(0);
      const missing = subtract(within([{ start: offsetBytes, end }]), known);
      if (missing.length > 0) throw new NotFetched(missing);
      const bytes = Buffer.alloc(end - offsetBytes);
      return bytes.subarray(0, readSync(file.fd, bytes, 0, bytes.length, offsetBytes));
    },
    async fetch(extents) {
      const missing = subtract(within(extents), known);
      if (missing.length === 0) return;
      for await (const { offsetBytes, lengthBytes, bytes } of disk.read(missing)) {
        if (bytes !== undefined) await writeFully(file, bytes, offsetBytes);
        onBytes(lengthBytes);
      }
      known = toExtents(known, missing);
    },
    fetched: (of) => intersect(of, known),
    async forget(extents) {
      await erase(extents);
      known = subtract(known, extents);
    },
    erase,
    async cut(length) {
      sizeBytes = length;
      known = intersect(known, [{ start: 0, end: length }]);
      await file.truncate(length);
    },
    async close() {
      if (isOpen) await file.close();
      isOpen = false;
    },
  };
}

/**
 * Runs a parser, and fetches what it misses until it has all that it wants.
 *
 * @param most how often: a parser that jumps from place to place takes a read for each
 * @param refuse makes the error for one that wants more
 */
export async function fetchToParse<Result>(
  copy: Pick<SparseCopy, "read" | "fetch">,
  parse: (read: ReadBytes) => Result,
  { most, refuse }: { readonly most: number; readonly refuse: () => Error },
): Promise<Result> {
  for (let reads = 0; reads <= most; reads += 1) {
    try {
      return parse(copy.read);
    } catch (error) {
      if (!(error instanceof NotFetched)) throw error;
      await copy.fetch(error.extents);
    }
  }
  throw refuse();
}

/** Bytes that are still to be fetched. */
export function missingBytes(copy: Pick<SparseCopy, "fetched">, extents: Extents): number {
  return countBytes(subtract(extents, copy.fetched(extents)));
}

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
}
