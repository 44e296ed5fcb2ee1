import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { ProgressReporter } from "../operations/progress-meter.ts";
import type { Sink } from "./fetch-chunks.ts";
import type { OpenDevice } from "./open-device.ts";
import type { ChunkRun } from "./plan-runs.ts";
import { paddedToSector, writeFully } from "./transfer.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/**
 * Writes runs to their places on the disk, the last one padded with zeros to a whole sector. A run is not durable when
 * it is consumed. Runs must be no longer than a block.
 */
export function createDiskSink(
  manifest: PackManifest,
  device: OpenDevice,
  { blocks, zeros, writes }: TransferMemory,
  progress: ProgressReporter,
): Sink {
  const write = async (run: ChunkRun, buffer: Buffer, signal: AbortSignal): Promise<void> => {
    const { offsetBytes, lengthBytes } = placeOf(manifest, run);
    const permit = await writes.take(signal);
    progress.begin("write");
    let written = 0;
    try {
      const padded = paddedToSector(device, lengthBytes);
      await writeFully(device, { buffer, bufferOffset: 0, lengthBytes: padded, offsetBytes });
      written = lengthBytes;
    } finally {
      progress.end("write", written);
      writes.give(permit);
    }
    progress.add("written", lengthBytes);
  };

  return {
    take: (_run, signal) => blocks.take(signal),
    async put(run, buffer, signal) {
      const { lengthBytes } = placeOf(manifest, run);
      buffer.fill(0, lengthBytes, paddedToSector(device, lengthBytes));
      await write(run, buffer, signal);
      blocks.give(buffer as Buffer<ArrayBuffer>);
    },
    putZeros: (run, signal) => write(run, zeros, signal),
  };
}

/** Where a run is on the disk. */
export function placeOf(
  manifest: PackManifest,
  { first, count }: ChunkRun,
): { readonly offsetBytes: number; readonly lengthBytes: number } {
  const offsetBytes = manifest.offsetOf(first);
  const last = first + count - 1;
  return { offsetBytes, lengthBytes: manifest.offsetOf(last) + manifest.lengthOf(last) - offsetBytes };
}
