import { Failure } from "../../proto/failure.ts";
import type { BlockDevice } from "../inventory/block-device.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { Customisation, ImageSource } from "../operations/operation.ts";
import { createBufferPool, intoBlocks } from "./blocks.ts";
import { type ChunkDigest, checkImage, recordDigests } from "./check-image.ts";
import { decompress } from "./decompress.ts";
import type { FetchSettings } from "./fetch-range.ts";
import { type OpenDevice, openDevice } from "./open-device.ts";
import { splitHead } from "./split-head.ts";
import { syncDevice } from "./transfer.ts";
import { VERIFY_BUFFERS, verifyDevice } from "./verify-device.ts";
import { withFetched } from "./with-fetched.ts";
import { WRITES_IN_FLIGHT, writeBlocks } from "./write-device.ts";
import { writeHead } from "./write-head.ts";

/** What is done to the disk around the write itself. */
export interface WriteImageParts {
  /** Rejects when the disk may not be overwritten (now). */
  readonly guard: (path: string, minBytes: number, signal: AbortSignal) => Promise<BlockDevice>;
  /**
   * Zeroes what lies before the first partition (at least what any partition table takes) and the backup table at the
   * end of the disk, durably, and makes the kernel forget the partitions.
   */
  readonly eraseTable: (
    device: OpenDevice,
    range: { readonly firstPartitionBytes: number; readonly deviceBytes: number },
    signal?: AbortSignal,
  ) => Promise<void>;
  readonly customise: (device: string, customisation: Customisation, signal: AbortSignal) => Promise<void>;
  /** Tells the kernel the new partitions. */
  readonly announcePartitions: (device: string) => Promise<void>;
  readonly fetchSettings: FetchSettings;
}

/** What to write where. */
export interface WriteImageRequest {
  readonly device: string;
  readonly source: ImageSource;
  readonly customisation?: Customisation;
}

/** One block being filled besides those that are written; reading back needs fewer. */
const BUFFERS = Math.max(WRITES_IN_FLIGHT + 1, VERIFY_BUFFERS);

/**
 * Writes an image to a whole disk:
 *
 *     guard → erase the table → fetch → decompress → check → write → sync → read back → customise → write the table
 *
 * What lies before the first partition is kept in memory and written last, its first sector very last, so that at every
 * instant before that the disk has no partition table and tempts no firmware. After a failure or a cancellation it has
 * none either. Memory is constant: four blocks, that head, and what zstd needs.
 *
 * Resolves only when the whole image is on the disk and was read back as it should be. Rejects with a Failure.
 */
export async function writeImage(
  request: WriteImageRequest,
  parts: WriteImageParts,
  context: OperationContext,
): Promise<void> {
  const { signal, log } = context;
  const { source } = request;
  const disk = await parts.guard(request.device, source.sizeBytes, signal);
  const sectorBytes = disk.logicalSectorBytes;
  if (source.firstPartitionBytes % sectorBytes !== 0) {
    throw new Failure(
      "unsupported",
      `${disk.path} has sectors of ${sectorBytes} bytes, and the image was made for a disk with smaller ones: ` +
        `its first partition starts at byte ${source.firstPartitionBytes}`,
    );
  }
  const device = await openDevice({ path: disk.path, sectorBytes, mode: "write" });
  try {
    await withoutTableUnlessDone(request, { parts, device, deviceBytes: disk.sizeBytes, context });
  } finally {
    await device.handle.close();
  }
  // The image is complete and proved: a kernel that does not take note of it is no reason to call it a failure.
  await parts.announcePartitions(disk.path).catch((error: unknown) => {
    log.warn({ err: error }, "the kernel was not told of the new partitions");
  });
}

/** What the steps of one write share. */
interface Run {
  readonly parts: WriteImageParts;
  readonly device: OpenDevice;
  readonly deviceBytes: number;
  readonly context: OperationContext;
}

/** Erases the table, writes everything, and erases the table again when that fails in a way that may have left one. */
async function withoutTableUnlessDone(request: WriteImageRequest, run: Run): Promise<void> {
  const { parts, device, deviceBytes } = run;
  const { signal, progress } = run.context;
  const { sizeBytes, storedBytes, firstPartitionBytes } = request.source;
  let mayHoldTable = true;
  progress.enter("erasing", { read: storedBytes, written: sizeBytes, verified: sizeBytes });
  try {
    await parts.eraseTable(device, { firstPartitionBytes, deviceBytes }, signal);
    mayHoldTable = false;
    signal.throwIfAborted();
    await writeAll(request, run, () => {
      mayHoldTable = true;
    });
  } catch (error) {
    if (mayHoldTable) await eraseAfter(error, () => parts.eraseTable(device, { firstPartitionBytes, deviceBytes }));
    throw error;
  }
}

async function writeAll(
  { source, customisation }: WriteImageRequest,
  { parts, device, context }: Run,
  onTable: () => void,
): Promise<void> {
  const { signal, progress } = context;
  const pool = createBufferPool(BUFFERS);
  const onWritten = (bytes: number): void => progress.add("written", bytes);
  const onVerified = (bytes: number): void => progress.add("verified", bytes);

  progress.enter("writing");
  const chunks: ChunkDigest[] = [];
  const head = await withFetched(source, parts.fetchSettings, context, async (fetched) => {
    const image = checkImage(decompress(fetched, source.compression), source);
    const { head, rest } = await splitHead(image, source.firstPartitionBytes);
    const blocks = recordDigests(intoBlocks(rest, source.firstPartitionBytes, pool), (chunk) => chunks.push(chunk));
    await writeBlocks(blocks, device, { pool, onWritten });
    return head;
  });

  progress.enter("syncing");
  await syncDevice(device);
  signal.throwIfAborted();

  progress.enter("verifying");
  await verifyDevice(device, chunks, { pool, signal, onVerified });

  if (customisation !== undefined) {
    progress.enter("customising");
    await parts.customise(device.path, customisation, signal);
  }
  signal.throwIfAborted();

  progress.enter("writing-table");
  onTable();
  await writeHead(device, head, { pool, signal, onWritten, onVerified });
}

/** Leaves no table behind a failure. When even that cannot be done, the failure has to say so. */
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
