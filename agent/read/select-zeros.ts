import { isZero } from "../../proto/pack/is-zero.ts";

/** A stretch of bytes that are all zero, or that are not. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly isZero: boolean;
}

/** Zeros in fewer bytes than this are sent as they are. */
const blockBytes = 4096;

/** Divides bytes into stretches, in order, by blocks of 4 KiB; none is next to one of its kind. */
export function selectZeros(bytes: Uint8Array): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const end = Math.min(bytes.length, start + blockBytes);
    const zero = isZero(bytes.subarray(start, end));
    const last = stretches.at(-1);
    if (last?.isZero === zero) stretches[stretches.length - 1] = { ...last, end };
    else stretches.push({ start, end, isZero: zero });
  }
  return stretches;
}
