/** Bytes of an image from `start` up to `end`, which is not part of it; never empty. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** In ascending order; none is adjacent to another. */
export type Extents = readonly Extent[];

/** Brings extents of any order, that may overlap, into a list; empty ones are left out. */
export function toExtents(...lists: readonly (readonly Extent[])[]): Extents {
  const sorted = lists
    .flat()
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** The part of `from` that is not in `without`. */
export function subtract(from: Extents, without: Extents): Extents {
  const left: Extent[] = [];
  let next = 0;
  for (const { start, end } of from) {
    let at = start;
    while ((without[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next += 1;
    for (let index = next; at < end; index += 1) {
      const hole = without[index];
      if (hole === undefined || hole.start >= end) {
        left.push({ start: at, end });
        break;
      }
      if (hole.start > at) left.push({ start: at, end: hole.start });
      at = hole.end;
    }
  }
  return left;
}

/** What is in both. */
export function intersect(one: Extents, other: Extents): Extents {
  return subtract(one, subtract(one, other));
}

/** Bytes of them all. */
export function countBytes(extents: Extents): number {
  return extents.reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * Puts runs of free blocks together, in ascending order, leaving out those that cannot make a chunk unused: they lie
 * within one and touch neither of its ends. So there are at most two for each chunk, however scattered the free blocks
 * are.
 */
export function createRunCollector(chunkBytes: number) {
  const runs: { start: number; end: number }[] = [];
  let pending: { start: number; end: number } | undefined;
  let first = true;
  const settle = (isLast: boolean): void => {
    if (pending === undefined) return;
    const { start, end } = pending;
    const isWithin = Math.floor((start - 1) / chunkBytes) === Math.floor(end / chunkBytes);
    // At the ends of a filesystem it may continue outside.
    if (first || isLast || !isWithin) runs.push(pending);
    first = false;
    pending = undefined;
  };
  return {
    add(start: number, end: number): void {
      if (pending !== undefined && pending.end === start) {
        pending.end = end;
        return;
      }
      settle(false);
      pending = { start, end };
    },
    runs(): Extents {
      settle(true);
      return runs;
    },
  };
}
