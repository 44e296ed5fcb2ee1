import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { Failure } from "../../proto/failure.ts";
import type { CardIds, Customisation, Growth, ImageSource } from "../../proto/operation/operation-spec.ts";
import type { WriteResult } from "../../proto/operation/write-result.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import { createFrameDecompressors, type FrameDecompressors } from "../../proto/pack/zstd-frames.ts";
import type { FetchSettings } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import { DamagedByGrowth, type FitParts, fitToCard } from "./fit-to-card.ts";
import { holdsImage } from "./holds-image.ts";
import type { OpenDevice, OpenDisk } from "./open-device.ts";
import { allocateTransferMemory, decompressorCount, type TransferMemory } from "./transfer-memory.ts";
import { writeContent } from "./write-content.ts";

/** What happens to the disk before and after the write itself. */
export interface WriteImageParts extends FitParts {
  /** Rejects when the disk may not be overwritten (now), or does not fit the image in size or sectors. */
  readonly guard: (path: string, minBytes: number, signal: AbortSignal) => Promise<BlockDevice>;
  readonly openDevice: OpenDisk;
  /**
   * Zeroes everything before the first partition (at least what any partition table takes) and the backup table at the
   * end of the disk, durably, and makes the kernel forget the partitions.
   */
  readonly eraseTable: (
    device: OpenDevice,
    range: { readonly firstPartitionBytes: number; readonly deviceBytes: number },
    signal?: AbortSignal,
  ) => Promise<void>;
  /** Announces the new partitions to the kernel. */
  readonly announcePartitions: (device: string) => Promise<void>;
  readonly fetchSettings: FetchSettings;
}

/** What to write where. */
export interface WriteImageRequest {
  readonly device: string;
  readonly source: ImageSource;
  readonly customisation?: Customisation;
  /** Whether to rewrite everything, even what the disk already has. */
  readonly full: boolean;
  readonly growth?: Growth;
  readonly ids?: CardIds;
}

/**
 * Writes an image to a whole disk:
 *
 *     guard → manifest → erase the table → compare → fetch → decompress → check → write → sync → read back → grow
 *     → customise → write the table
 *
 * Everything before the first partition is kept in memory and written last, its first sector very last, so that from
 * the erasure on the disk has no partition table and tempts no firmware at every instant before that. After a failure
 * or a cancellation it has none either, unless it was never touched: a manifest that is unavailable or used is such a
 * failure.
 *
 * Chunks that the disk already has are left alone unless `full`, and unused chunks are neither read
 * nor written. A disk that holds all of the image, its table too, is left as it is when nothing is to be changed.
 * Memory: see TransferMemory.
 *
 * Resolves only when every used chunk of the image was found on the disk as it should be, to what was made of the disk
 * besides. Rejects with a Failure.
 */
export async function writeImage(
  request: WriteImageRequest,
  parts: WriteImageParts,
  context: OperationContext,
): Promise<WriteResult> {
  const { signal, log, progress } = context;
  let result: WriteResult = { ids: [] };
  const { source } = request;
  context.leaves("untouched");
  const disk = await parts.guard(request.device, source.sizeBytes, signal);
  const sectorBytes = disk.logicalSectorBytes;
  const device = await parts.openDevice({ path: disk.path, sectorBytes, mode: "write", askDisk: progress.askDisk });
  try {
    const manifest = await fetchManifest(source, parts.fetchSettings, signal);
    const memory = allocateTransferMemory(manifest);
    const { full, customisation, growth, ids } = request;
    const mayBeThere = !full && customisation === undefined && growth === undefined && ids === undefined;
    if (mayBeThere && (await holdsImage({ device, manifest, memory }, context))) {
      log.info("the disk already holds the image");
      context.leaves("image");
    } else {
      // Before the disk is touched: if nothing can be decompressed, it must stay as it is.
      const decompressors = createFrameDecompressors(decompressorCount);
      try {
        const deviceBytes = disk.sizeBytes;
        result = await withoutTableUnlessDone(request, {
          parts,
          device,
          deviceBytes,
          manifest,
          memory,
          decompressors,
          context,
        });
      } finally {
        decompressors.close();
      }
    }
  } finally {
    await device.handle.close();
  }
  // The image is complete and proved: the write has not failed just because the kernel did not notice the partitions.
  await parts.announcePartitions(disk.path).catch((error: unknown) => {
    log.warn({ err: error }, "could not tell the kernel about the new partitions");
  });
  return result;
}

/** What the steps of one write share. */
interface PreparedWrite {
  readonly parts: WriteImageParts;
  readonly device: OpenDevice;
  readonly deviceBytes: number;
  readonly manifest: PackManifest;
  readonly memory: TransferMemory;
  readonly decompressors: FrameDecompressors;
  readonly context: OperationContext;
}

/** Erases the table, writes everything, and erases the table again when that fails in a way that may have left one. */
async function withoutTableUnlessDone(request: WriteImageRequest, prepared: PreparedWrite): Promise<WriteResult> {
  try {
    return await writeWithoutTable(request, prepared);
  } catch (error) {
    const { growth, ...rest } = request;
    if (!(error instanceof DamagedByGrowth) || growth === undefined) throw error;
    // Nobody wants a node without a system because its filesystem could not be grown.
    prepared.context.log.warn({ err: error }, "growing the root filesystem has damaged it; writing it again as it is");
    const result = await writeWithoutTable(rest, prepared);
    const stays = { partitionBytes: growth.lengthBytes, filesystemGrown: false, limit: error.message };
    return { ...result, growth: stays };
  }
}

async function writeWithoutTable(request: WriteImageRequest, prepared: PreparedWrite): Promise<WriteResult> {
  const { parts, device, deviceBytes, manifest, memory, decompressors, context } = prepared;
  const { signal, progress, leaves } = context;
  const { source, full } = request;
  const { firstPartitionBytes } = source;
  let mayHoldTable = true;
  let result: WriteResult = { ids: [] };
  progress.enter("erasing");
  leaves("uncertain");
  try {
    await parts.eraseTable(device, { firstPartitionBytes, deviceBytes }, signal);
    mayHoldTable = false;
    leaves("no-table");
    signal.throwIfAborted();
    await writeContent(
      { device, manifest, url: source.url, firstPartitionBytes, full },
      {
        memory,
        decompressors,
        fetchSettings: parts.fetchSettings,
        beforeTable: async (table) => {
          const fitted = await fitToCard({ ...request, device: device.path, deviceBytes }, table, parts, context);
          signal.throwIfAborted();
          mayHoldTable = true;
          leaves("uncertain");
          result = fitted.result;
          return fitted.backup;
        },
      },
      context,
    );
    leaves("image");
    return result;
  } catch (error) {
    if (mayHoldTable) {
      await eraseAfter(error, () => parts.eraseTable(device, { firstPartitionBytes, deviceBytes }));
      leaves("no-table");
    }
    throw error;
  }
}

/** Leaves no table after a failure. If even that fails, the failure has to say so. */
async function eraseAfter(error: unknown, erase: () => Promise<void>): Promise<void> {
  await erase().catch((second: unknown) => {
    const first = Failure.from(error);
    throw new Failure(
      first.reason,
      `${first.message}; and the partition table could not be erased again, so the disk may look bootable: ` +
        Failure.from(second).message,
      { ...first.evidence, cause: error },
    );
  });
}
