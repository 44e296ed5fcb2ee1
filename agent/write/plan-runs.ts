import type { PackManifest } from "../../proto/pack/pack-manifest.ts";

/** A set of an image's chunks: 1 at the index of each member, 0 elsewhere. */
export type ChunkSet = Uint8Array;

/** Adjacent chunks. */
export interface ChunkRun {
  readonly first: number;
  readonly count: number;
}

/** The chunks from `from` on that hold data or must be zero. */
export function selectUsed(manifest: PackManifest, from = 0): ChunkSet {
  const chunks = new Uint8Array(manifest.chunkCount);
  for (let chunk = from; chunk < manifest.chunkCount; chunk += 1) {
    if (manifest.kindOf(chunk) !== "unused") chunks[chunk] = 1;
  }
  return chunks;
}

/** How many image bytes the chunks have. */
export function countBytes(manifest: PackManifest, chunks: ChunkSet): number {
  let bytes = 0;
  for (let chunk = 0; chunk < chunks.length; chunk += 1) if (chunks[chunk] === 1) bytes += manifest.lengthOf(chunk);
  return bytes;
}

/** The same chunks as runs in their order, none of which crosses a multiple of the given number of chunks. */
export function planRuns(chunks: ChunkSet, chunksPerRun: number): ChunkRun[] {
  const runs: ChunkRun[] = [];
  for (let first = chunks.indexOf(1); first >= 0; ) {
    const limit = Math.min(chunks.length, (Math.floor(first / chunksPerRun) + 1) * chunksPerRun);
    let end = first + 1;
    while (end < limit && chunks[end] === 1) end += 1;
    runs.push({ first, count: end - first });
    first = chunks.indexOf(1, end);
  }
  return runs;
}
