import type { BlockDevice } from "../../proto/disk/block-device.ts";
import type { ImageSource } from "../../proto/operation/operation-spec.ts";
import type { FetchSettings } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import { mismatch } from "./check-chunk.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import type { OpenDisk } from "./open-device.ts";
import { countBytes, planRuns, selectUsed } from "./plan-runs.ts";
import { readChunks } from "./read-chunks.ts";
import { allocateTransferMemory } from "./transfer-memory.ts";

/** What the comparison needs of the node. */
export interface VerifyImageParts {
  /** Rejects when the disk is in use, or cannot hold the image. */
  readonly guard: (path: string, minBytes: number, signal: AbortSignal) => Promise<BlockDevice>;
  readonly openDevice: OpenDisk;
  readonly fetchSettings: FetchSettings;
}

/**
 * Compares a whole disk with every chunk of an image that holds data or must be zero, without writing. Nothing but the
 * manifest is fetched. The disk is read to its end even after a difference, so that the Failure "verify-mismatch",
 * which names the first chunk that differs, can say how much does. A disk whose new system was customised differs where
 * that was done.
 */
export async function verifyImage(
  { device: path, source }: { readonly device: string; readonly source: ImageSource },
  parts: VerifyImageParts,
  context: OperationContext,
): Promise<void> {
  const { signal, progress } = context;
  const disk = await parts.guard(path, source.sizeBytes, signal);
  const sectorBytes = disk.logicalSectorBytes;
  const device = await parts.openDevice({ path: disk.path, sectorBytes, mode: "read", askDisk: progress.askDisk });
  try {
    const manifest = await fetchManifest(source, parts.fetchSettings, signal);
    const used = selectUsed(manifest);
    const { blocks, chunksPerBlock } = allocateTransferMemory(manifest);
    progress.enter("verifying", { verified: countBytes(manifest, used) });
    let wrongBytes = 0;
    let first: { readonly chunk: number; readonly found: Buffer } | undefined;
    await readChunks(
      planRuns(used, chunksPerBlock),
      { device, manifest, blocks, stage: "read-back" },
      (chunk, found) => {
        const lengthBytes = manifest.lengthOf(chunk);
        if (found === undefined) {
          progress.add("verified", lengthBytes);
          return;
        }
        wrongBytes += lengthBytes;
        first ??= { chunk, found };
      },
      context,
    );
    if (first === undefined) return;
    const { chunk } = first;
    throw mismatch(
      {
        device: device.path,
        manifest,
        message:
          `${device.path} differs from the image: the ${manifest.lengthOf(chunk)} bytes at byte ` +
          `${manifest.offsetOf(chunk)} differ, ${wrongBytes} bytes in all`,
      },
      first,
    );
  } finally {
    await device.handle.close();
  }
}
