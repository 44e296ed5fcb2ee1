import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { ChunkRun } from "./plan-runs.ts";

/** One request for a range of the pack, and the runs of chunks whose frames it brings. */
export interface Fetch {
  /** Where the range starts in the pack. */
  readonly fromByte: number;
  /** 0 when the runs hold nothing but zeros, for which nothing is fetched. */
  readonly lengthBytes: number;
  readonly runs: readonly ChunkRun[];
}

/** What bounds a request. */
export interface FetchLimits {
  /** Longest range; the frames of one run are never more. */
  readonly rangeBytes: number;
  /** Unneeded frames of at most this many bytes are fetched too: another request costs more. */
  readonly gapBytes: number;
}

/** Groups runs, in their order, into requests that bring all frames of their chunks with data. */
export function planFetches(manifest: PackManifest, runs: readonly ChunkRun[], limits: FetchLimits): Fetch[] {
  const fetches: Fetch[] = [];
  let current: { fromByte: number; endByte: number; runs: ChunkRun[] } | undefined;
  const finish = (): void => {
    if (current === undefined) return;
    const { fromByte, endByte } = current;
    fetches.push({ fromByte, lengthBytes: endByte - fromByte, runs: current.runs });
  };
  for (const run of runs) {
    const frames = framesOf(manifest, run);
    if (current !== undefined && (frames === undefined || joins(current, frames, limits))) {
      current.runs.push(run);
      if (frames === undefined) continue;
      if (current.endByte === current.fromByte) current.fromByte = frames.fromByte;
      current.endByte = frames.endByte;
      continue;
    }
    finish();
    current = { fromByte: 0, endByte: 0, ...frames, runs: [run] };
  }
  finish();
  return fetches;
}

/** How many bytes of the pack the requests bring. */
export function countFetched(fetches: readonly Fetch[]): number {
  return fetches.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

interface Bytes {
  readonly fromByte: number;
  readonly endByte: number;
}

function joins(before: Bytes, { fromByte, endByte }: Bytes, { rangeBytes, gapBytes }: FetchLimits): boolean {
  if (before.fromByte === before.endByte) return true;
  return endByte - before.fromByte <= rangeBytes && fromByte - before.endByte <= gapBytes;
}

/** From the first frame with data of the run to the last; undefined when it has none. */
function framesOf(manifest: PackManifest, { first, count }: ChunkRun): Bytes | undefined {
  let [from, end] = [first, first + count];
  while (from < end && manifest.kindOf(from) !== "data") from += 1;
  while (end > from && manifest.kindOf(end - 1) !== "data") end -= 1;
  if (from === end) return undefined;
  return { fromByte: manifest.frameOffsetOf(from), endByte: manifest.frameOffsetOf(end) };
}
