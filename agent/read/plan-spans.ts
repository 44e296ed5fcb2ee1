/** Bytes of a disk. */
export interface DiskPart {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Bytes that are read from the disk in one go, and which of them are wanted. */
export interface ReadSpan extends DiskPart {
  /** In ascending order, all within. */
  readonly wanted: readonly DiskPart[];
}

/** How spans are cut. In bytes, all multiples of the disk's sector. */
export interface SpanLimits {
  readonly spanBytes: number;
  /** Up to so much between two parts is read along with them: for a card that is quicker than another request. */
  readonly gapBytes: number;
  readonly sectorBytes: number;
}

/**
 * Cuts what is wanted of a disk into spans, each of which begins and ends at a sector, in ascending order. A part that
 * is longer than a span becomes several. A sector is read twice where a part ends and the next one begins in it.
 *
 * @param parts in ascending order, not overlapping
 */
export function* planSpans(parts: readonly DiskPart[], limits: SpanLimits): Generator<ReadSpan> {
  const { spanBytes, gapBytes, sectorBytes } = limits;
  const down = (bytes: number): number => bytes - (bytes % sectorBytes);
  const up = (bytes: number): number => Math.ceil(bytes / sectorBytes) * sectorBytes;
  let start = 0;
  let wanted: { offsetBytes: number; lengthBytes: number }[] = [];
  const endOf = ({ offsetBytes, lengthBytes }: DiskPart): number => offsetBytes + lengthBytes;
  const take = (): ReadSpan | undefined => {
    const last = wanted.at(-1);
    if (last === undefined) return undefined;
    const span = { offsetBytes: start, lengthBytes: up(endOf(last)) - start, wanted };
    wanted = [];
    return span;
  };
  for (const part of parts) {
    for (let at = part.offsetBytes; at < endOf(part); ) {
      const last = wanted.at(-1);
      const isFar = last !== undefined && (at - endOf(last) > gapBytes || at >= start + spanBytes);
      if (isFar) {
        const span = take();
        if (span !== undefined) yield span;
      }
      if (wanted.length === 0) start = down(at);
      const end = Math.min(endOf(part), start + spanBytes);
      wanted.push({ offsetBytes: at, lengthBytes: end - at });
      at = end;
    }
  }
  const span = take();
  if (span !== undefined) yield span;
}
