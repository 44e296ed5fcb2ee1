import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { ChunkSet } from "./plan-runs.ts";

/** How many chunks to sample to decide whether reading the rest is worthwhile: a second's work for a slow card. */
const sampleChunks = 256;
/** How many neighbours in the sample represent their part of the image. */
const samplesPerPart = 16;

/** The result for one chunk. */
export interface Sample {
  readonly chunk: number;
  /** Whether the disk already has it. */
  readonly equal: boolean;
}

/** Some of the chunks, evenly spread over them: all when they are few. */
export function selectSpread(chunks: ChunkSet, most: number): ChunkSet {
  let total = 0;
  for (const chunk of chunks) total += chunk;
  const sample = new Uint8Array(chunks.length);
  const size = Math.min(most, total);
  let seen = 0;
  let taken = 0;
  for (let chunk = 0; chunk < chunks.length && taken < size; chunk += 1) {
    if (chunks[chunk] !== 1) continue;
    // The one in the middle of each of `size` parts of the same length.
    if (seen >= Math.floor(((taken + 0.5) * total) / size)) {
      sample[chunk] = 1;
      taken += 1;
    }
    seen += 1;
  }
  return sample;
}

/** The chunks to look at first: some of those that hold data, for zeros may be on any disk by chance. */
export function selectSample(manifest: PackManifest, chunks: ChunkSet): ChunkSet {
  return selectSpread(
    chunks.map((chosen, chunk) => (chosen === 1 && manifest.kindOf(chunk) === "data" ? 1 : 0)),
    sampleChunks,
  );
}

/**
 * Which of the chunks to compare with the disk, by what a sample of them (in their order) has shown. A part of the
 * image of which no sample is on the disk is not read: a fresh disk would pay for a whole read of it and gain nothing.
 * It goes by parts so that a write that was interrupted early does not count as fresh. Without any sample all are
 * compared.
 */
export function planComparison(chunks: ChunkSet, samples: readonly Sample[]): ChunkSet {
  if (samples.length === 0) return chunks;
  const compared = new Uint8Array(chunks.length);
  for (let at = 0; at < samples.length; at += samplesPerPart) {
    const part = samples.slice(at, at + samplesPerPart);
    if (!part.some(({ equal }) => equal)) continue;
    const first = at === 0 ? 0 : (part[0]?.chunk ?? 0);
    const end = samples[at + samplesPerPart]?.chunk ?? chunks.length;
    compared.set(chunks.subarray(first, end), first);
  }
  return compared;
}

/**
 * Chunks that already matched before the write, to be checked again after it: a card that is smaller than
 * it says stores two places of itself in one, and writing one of them then destroys the other. As many as were
 * written, so that it costs no more than reading those back, and never so few that chance hides it.
 */
export function selectWitnesses(equal: ChunkSet, writtenChunks: number): ChunkSet {
  return selectSpread(equal, writtenChunks === 0 ? 0 : Math.max(writtenChunks, sampleChunks));
}
