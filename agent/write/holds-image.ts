import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { OpenDevice } from "./open-device.ts";
import { countBytes, planRuns, selectUsed } from "./plan-runs.ts";
import { readChunks } from "./read-chunks.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/**
 * Whether every used chunk of the image is on the disk already, everything before the first partition included: then
 * there is nothing to erase and nothing to write. This is checked first, because any other system differs there, and
 * the reading ends at the first difference. Counts the image as skipped and verified when it is all there, and nothing
 * otherwise. Throws a Failure "device-error", or the signal's reason.
 */
export async function holdsImage(
  parts: { readonly device: OpenDevice; readonly manifest: PackManifest; readonly memory: TransferMemory },
  context: OperationContext,
): Promise<boolean> {
  const { progress } = context;
  const { device, manifest, memory } = parts;
  const used = selectUsed(manifest);
  const usedBytes = countBytes(manifest, used);
  progress.enter("comparing", { compared: usedBytes, verified: usedBytes, skipped: manifest.imageBytes });
  const different = new Error("the disk holds something else");
  let comparedBytes = 0;
  try {
    await readChunks(
      planRuns(used, memory.chunksPerBlock),
      { device, manifest, blocks: memory.blocks, stage: "compare" },
      (chunk, found) => {
        if (found !== undefined) throw different;
        comparedBytes += manifest.lengthOf(chunk);
        progress.add("compared", manifest.lengthOf(chunk));
      },
      context,
    );
  } catch (error) {
    if (error !== different) throw error;
    // The comparison that follows starts over.
    progress.add("compared", -comparedBytes);
    return false;
  }
  progress.add("skipped", manifest.imageBytes);
  progress.add("verified", usedBytes);
  return true;
}
