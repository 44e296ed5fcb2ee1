import type { Extent } from "../map/extents.ts";

/** Digests that block maps are known to be made with; names as node:crypto has them. */
export type BlockMapChecksum = "sha1" | "sha256" | "sha384" | "sha512";

/** Blocks that belong to the image: `first` to `last`, both included. */
export interface MappedRange {
  readonly first: number;
  readonly last: number;
  /** Lower-case hexadecimal digest of their content; absent when the map was made without. */
  readonly checksum?: string;
}

/** Which blocks of an image are mapped, as bmaptool(1) writes it. */
export interface BlockMap {
  readonly imageBytes: number;
  readonly blockBytes: number;
  readonly checksumType: BlockMapChecksum;
  /** In ascending order; none overlaps another. */
  readonly ranges: readonly MappedRange[];
}

/** The bytes of a range; the last block may end with the image. */
export function extentOf({ blockBytes, imageBytes }: BlockMap, { first, last }: MappedRange): Extent {
  return { start: first * blockBytes, end: Math.min(imageBytes, (last + 1) * blockBytes) };
}
