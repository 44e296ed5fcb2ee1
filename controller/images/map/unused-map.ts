import { isZero } from "../../../proto/pack/is-zero.ts";
import type { ChunkKind } from "../../../proto/pack/pack-manifest.ts";
import { type Extent, type Extents, subtract, toExtents } from "./extents.ts";

/** Which bytes of an image nothing uses. The two lists do not overlap. */
export interface UnusedMap {
  /** Free in a filesystem's own books, whatever is there. */
  readonly free: Extents;
  /** Apparently unused, so counted only where it is zero. */
  readonly freeIfZero: Extents;
}

/** What a filesystem says of itself, in bytes of the image. */
export interface FilesystemUsage {
  /** Where it starts. */
  readonly start: number;
  /** Where it ends; its partition may continue. */
  readonly end: number;
  readonly free: Extents;
}

/** What is known of an image. */
export interface ImageUsage {
  readonly imageBytes: number;
  readonly partitions: readonly { readonly offsetBytes: number; readonly lengthBytes: number }[];
  /** Of those partitions whose filesystem could be asked. */
  readonly filesystems: readonly FilesystemUsage[];
  /** What a block map leaves out. */
  readonly unmapped?: readonly Extent[];
}

/**
 * Decides what is unused: what filesystems have free; and, where it is zero, everything after a filesystem in its
 * partition, between and behind partitions, and what a block map leaves out. A filesystem's own books come first: a
 * block that it uses is a part of it, even when a block map leaves it out as a hole. Everything before the first
 * partition is always used: boot code and partition table.
 */
export function planUnused({ imageBytes, partitions, filesystems, unmapped = [] }: ImageUsage): UnusedMap {
  const image = [{ start: 0, end: imageBytes }];
  const areas = toExtents(
    partitions.map(({ offsetBytes, lengthBytes }) => ({ start: offsetBytes, end: offsetBytes + lengthBytes })),
  );
  const beforePartitions = toExtents([{ start: 0, end: areas[0]?.start ?? imageBytes }]);
  const known = toExtents(filesystems.map(({ start, end }) => ({ start, end })));
  const behind = filesystems.flatMap(({ start, end }) => {
    const area = partitions.find(({ offsetBytes }) => offsetBytes === start);
    return area === undefined ? [] : [{ start: end, end: area.offsetBytes + area.lengthBytes }];
  });
  const free = subtract(toExtents(...filesystems.map((filesystem) => filesystem.free)), beforePartitions);
  const nobodys = toExtents(subtract(image, areas), behind, unmapped);
  return { free, freeIfZero: subtract(subtract(nobodys, known), beforePartitions) };
}

/** Returns the kind of each chunk. Call in ascending order of offsets. */
export function createChunkClassifier({
  free,
  freeIfZero,
}: UnusedMap): (offsetBytes: number, bytes: Uint8Array) => ChunkKind {
  const coveredByFree = createCover(free);
  const coveredIfZero = createCover(freeIfZero);

  return (offsetBytes, bytes) => {
    const end = offsetBytes + bytes.length;
    let at = offsetBytes;
    while (at < end) {
      const freeUntil = coveredByFree(at);
      if (freeUntil > at) {
        at = freeUntil;
        continue;
      }
      const until = Math.min(end, coveredIfZero(at));
      if (until <= at || !isZero(bytes.subarray(at - offsetBytes, until - offsetBytes))) break;
      at = until;
    }
    if (at >= end) return "unused";
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
