import type { ChunkKind, PackManifest } from "../../../proto/pack/pack-manifest.ts";

/** What a card with one image needs to get another. */
export interface PackDifference {
  /** Bytes of differing chunks, which are written. */
  readonly writeBytes: number;
  /** Bytes of those chunks as they are sent. */
  readonly fetchBytes: number;
}

/** A chunk of the image that a card should get. */
export interface WantedChunk {
  readonly chunk: number;
  readonly kind: ChunkKind;
  readonly lengthBytes: number;
  /** BLAKE3 of its content; asked for only where it is needed. */
  readonly digest: () => Uint8Array;
}

/** Compares two images in chunks of the same size, as an agent does with a card. */
export function comparePacks(old: PackManifest, next: PackManifest): PackDifference {
  let writeBytes = 0;
  let fetchBytes = 0;
  for (let chunk = 0; chunk < next.chunkCount; chunk++) {
    const kind = next.kindOf(chunk);
    const lengthBytes = next.lengthOf(chunk);
    if (isOnCard(old, { chunk, kind, lengthBytes, digest: () => next.digestOf(chunk) })) continue;
    writeBytes += lengthBytes;
    if (kind === "data") fetchBytes += next.frameLengthOf(chunk);
  }
  return { writeBytes, fetchBytes };
}

/**
 * Whether a card that holds the old image holds this chunk, too, or need not. What no filesystem of the old image used
 * may be anything on the card, and counts as different.
 */
export function isOnCard(old: PackManifest, { chunk, kind, lengthBytes, digest }: WantedChunk): boolean {
  if (kind === "unused") return true;
  if (chunk >= old.chunkCount || old.lengthOf(chunk) !== lengthBytes || old.kindOf(chunk) !== kind) return false;
  return kind === "zero" || Buffer.compare(old.digestOf(chunk), digest()) === 0;
}
