import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { Pool } from "./buffer-pool.ts";
import { checkChunk } from "./check-chunk.ts";
import { inOrder } from "./in-order.ts";
import type { OpenDevice } from "./open-device.ts";
import type { ChunkRun } from "./plan-runs.ts";
import { paddedToSector, readFully } from "./transfer.ts";

/** How many reads are in flight at once: the disk already has the next one while a result is checked. */
const readsAtOnce = 3;

/**
 * Reads runs of chunks from the disk, in order, and reports whether each chunk matches the manifest: `found`
 * is undefined, or the BLAKE3 of what is there instead. Memory: `readsAtOnce` buffers of the pool, and the one that is
 * looked at, each as long as the longest run. Throws a Failure "device-error", the signal's reason, or what `onChunk`
 * throws.
 */
export async function readChunks(
  runs: readonly ChunkRun[],
  parts: {
    readonly device: OpenDevice;
    readonly manifest: PackManifest;
    readonly blocks: Pool<Buffer<ArrayBuffer>>;
    readonly stage: "compare" | "read-back";
  },
  onChunk: (chunk: number, found: Buffer | undefined) => void,
  { signal, progress }: OperationContext,
): Promise<void> {
  const { device, manifest, blocks, stage } = parts;
  const taken = new Set<Buffer<ArrayBuffer>>();
  const read = async (run: ChunkRun): Promise<{ run: ChunkRun; buffer: Buffer<ArrayBuffer> }> => {
    const buffer = await blocks.take(signal);
    taken.add(buffer);
    const offsetBytes = manifest.offsetOf(run.first);
    const last = run.first + run.count - 1;
    const endBytes = manifest.offsetOf(last) + manifest.lengthOf(last);
    let done = 0;
    progress.begin(stage);
    try {
      const lengthBytes = paddedToSector(device, endBytes - offsetBytes);
      await readFully(device, { buffer, bufferOffset: 0, lengthBytes, offsetBytes });
      done = endBytes - offsetBytes;
    } finally {
      progress.end(stage, done);
    }
    return { run, buffer };
  };

  try {
    for await (const { run, buffer } of inOrder(runs, { atOnce: readsAtOnce, start: read })) {
      signal.throwIfAborted();
      for (let chunk = run.first; chunk < run.first + run.count; chunk += 1) {
        const at = manifest.offsetOf(chunk) - manifest.offsetOf(run.first);
        const lengthBytes = manifest.lengthOf(chunk);
        progress.begin("check");
        const found = checkChunk(manifest, chunk, buffer.subarray(at, at + lengthBytes));
        progress.end("check", lengthBytes);
        onChunk(chunk, found);
      }
      taken.delete(buffer);
      blocks.give(buffer);
    }
  } finally {
    // No read is still in flight: inOrder has waited for them.
    for (const buffer of taken) blocks.give(buffer);
  }
}
