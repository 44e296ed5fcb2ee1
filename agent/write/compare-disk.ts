import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { OpenDevice } from "./open-device.ts";
import { planComparison, type Sample, selectSample } from "./plan-comparison.ts";
import { type ChunkSet, countBytes, planRuns, selectUsed } from "./plan-runs.ts";
import { readChunks } from "./read-chunks.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/**
 * Finds out which of some chunks the disk holds already. All of it comes before anything is fetched or written: a card
 * does one thing at a time, so reading between writes gains nothing and costs both their sequence; the requests can be
 * joined as well as can be; and what is to be done, and so how long it takes, is known when it begins.
 */
export async function compareDisk(
  chunks: ChunkSet,
  parts: { readonly device: OpenDevice; readonly manifest: PackManifest; readonly memory: TransferMemory },
  context: OperationContext,
): Promise<ChunkSet> {
  const { device, manifest, memory } = parts;
  const { progress } = context;
  const reading = { device, manifest, blocks: memory.blocks, stage: "compare" } as const;
  const samples: Sample[] = [];
  progress.enter("comparing", { verified: countBytes(manifest, selectUsed(manifest)) });
  await readChunks(
    planRuns(selectSample(manifest, chunks), 1),
    reading,
    (chunk, found) => samples.push({ chunk, equal: found === undefined }),
    context,
  );
  const compared = planComparison(chunks, samples);
  progress.enter("comparing", { compared: countBytes(manifest, compared) });
  const equal = new Uint8Array(chunks.length);
  await readChunks(
    planRuns(compared, memory.chunksPerBlock),
    reading,
    (chunk, found) => {
      const lengthBytes = manifest.lengthOf(chunk);
      progress.add("compared", lengthBytes);
      if (found !== undefined) return;
      equal[chunk] = 1;
      progress.add("skipped", lengthBytes);
      progress.add("verified", lengthBytes);
    },
    context,
  );
  return equal;
}
