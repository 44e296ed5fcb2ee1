import { isZero } from "../../../proto/pack/is-zero.ts";
import type { ChunkKind } from "../../../proto/pack/pack-manifest.ts";
import { type Extents, toExtents } from "./extents.ts";

/** What a filesystem says of itself, in bytes of the image. */
export interface FilesystemUsage {
  /** Where it starts. */
  readonly start: number;
  /** Where it ends; its partition may continue. */
  readonly end: number;
  readonly free: Extents;
}

/**
 * What nodes need not hold, of filesystems whose own books count (`judgePartitions` says of which they do). Nothing
 * else is left out: not what is zero, for a card has something else there, and not what a block map leaves out, which
 * bmaptool(1) took from a sparse file, where holes read as zeros.
 */
export function planUnused(filesystems: readonly FilesystemUsage[]): Extents {
  return toExtents(...filesystems.map(({ free }) => free));
}

/**
 * Returns the kind of each chunk: unused only if every byte of it is in `free`. Call in ascending order of offsets.
 */
export function createChunkClassifier(free: Extents): (offsetBytes: number, bytes: Uint8Array) => ChunkKind {
  const coveredUntil = createCover(free);
  return (offsetBytes, bytes) => {
    if (coveredUntil(offsetBytes) >= offsetBytes + bytes.length) return "unused";
    return isZero(bytes) ? "zero" : "data";
  };
}

/** Returns the end of a byte's extent, or the byte itself if it is in none. Call in ascending order. */
function createCover(extents: Extents): (at: number) => number {
  let next = 0;
  return (at) => {
    while ((extents[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next += 1;
    const extent = extents[next];
    return extent !== undefined && extent.start <= at ? extent.end : at;
  };
}
