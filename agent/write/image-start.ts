import { Failure } from "../../proto/failure.ts";
import { blake3 } from "../../proto/pack/blake3.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import { allocatePageAligned } from "../linux/page-aligned.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { Pool } from "./buffer-pool.ts";
import { named } from "./check-chunk.ts";
import type { Sink } from "./fetch-chunks.ts";
import type { OpenDevice } from "./open-device.ts";
import { paddedToSector, readFully, syncDevice, writeFully } from "./transfer.ts";

const pageBytes = 4096;
/** Bytes written or compared at once. */
const stepBytes = 1024 * 1024;

/**
 * Everything before the first partition, in memory until everything else is on the disk; and what else is in the chunk
 * in which the first partition starts, because a chunk can be checked only as a whole.
 */
export interface ImageStart {
  /** Page-aligned; has room to the end of a page behind it. */
  readonly bytes: Buffer<ArrayBuffer>;
  /** Where the first partition starts. */
  readonly tableBytes: number;
  /** How many chunks it holds. */
  readonly chunks: number;
}

/** Memory for it, all zeros. */
export function allocateImageStart(manifest: PackManifest, firstPartitionBytes: number): ImageStart {
  const chunks = Math.ceil(firstPartitionBytes / manifest.chunkBytes);
  const lengthBytes = Math.min(chunks * manifest.chunkBytes, manifest.imageBytes);
  const bytes = allocatePageAligned(Math.ceil(lengthBytes / pageBytes) * pageBytes).subarray(0, lengthBytes);
  return { bytes, tableBytes: firstPartitionBytes, chunks };
}

/** Keeps runs of its chunks. */
export function createImageStartSink({ bytes }: ImageStart, manifest: PackManifest): Sink {
  return {
    take: async ({ first }) => bytes.subarray(manifest.offsetOf(first)),
    put: async () => undefined,
    putZeros: async () => undefined,
  };
}

/** What it takes to write a part of it. */
export interface ImageStartWrite {
  readonly device: OpenDevice;
  readonly start: ImageStart;
  readonly blocks: Pool<Buffer<ArrayBuffer>>;
  readonly context: OperationContext;
}

/** Writes what this holds behind the start of the first partition, which is there before the table is. */
export async function writePartitionStart({ device, start, context }: ImageStartWrite): Promise<void> {
  await write(device, start, { from: start.tableBytes, end: start.bytes.length }, context);
}

/**
 * Writes everything before the first partition: everything but the first sector, then that sector, which makes the disk
 * one with a partition table; each is made durable before the next step.
 */
export async function writeTable({ device, start, context }: ImageStartWrite): Promise<void> {
  const { sectorBytes } = device;
  await write(device, start, { from: sectorBytes, end: start.tableBytes }, context);
  await syncDevice(device);
  await write(device, start, { from: 0, end: sectorBytes }, context);
  await syncDevice(device);
}

/** Reads a part of the start back. The Failure "verify-mismatch" when the disk holds something else. */
export async function findDifference(
  { device, start, blocks, context: { signal, progress } }: ImageStartWrite,
  part: "table" | "partition-start",
): Promise<Failure | undefined> {
  const [from, end] = part === "table" ? [0, start.tableBytes] : [start.tableBytes, start.bytes.length];
  const buffer = await blocks.take(signal);
  const step = Math.min(stepBytes, buffer.length);
  try {
    for (let offsetBytes = from; offsetBytes < end; offsetBytes += step) {
      signal.throwIfAborted();
      const lengthBytes = Math.min(step, end - offsetBytes);
      progress.begin("read-back");
      await readFully(device, {
        buffer,
        bufferOffset: 0,
        lengthBytes: paddedToSector(device, lengthBytes),
        offsetBytes,
      }).finally(() => progress.end("read-back", lengthBytes));
      const wanted = start.bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
      const found = buffer.subarray(0, lengthBytes);
      if (wanted.equals(found)) continue;
      return new Failure(
        "verify-mismatch",
        `${device.path} does not hold what was written to it: the ${lengthBytes} bytes at byte ${offsetBytes} differ; ` +
          "the card is worn out or smaller than it claims; replace it",
        {
          range: { device: device.path, offsetBytes, lengthBytes },
          expected: named(blake3(wanted)),
          found: named(blake3(found)),
        },
      );
    }
    return undefined;
  } finally {
    blocks.give(buffer);
  }
}

async function write(
  device: OpenDevice,
  { bytes }: ImageStart,
  { from, end }: { readonly from: number; readonly end: number },
  { signal, progress }: OperationContext,
): Promise<void> {
  for (let at = from; at < end; at += stepBytes) {
    signal.throwIfAborted();
    const lengthBytes = Math.min(stepBytes, end - at);
    progress.begin("write");
    await writeFully(device, {
      // Padding comes from the room behind it, which is zero.
      buffer: Buffer.from(bytes.buffer, bytes.byteOffset, Math.ceil(bytes.length / pageBytes) * pageBytes),
      bufferOffset: at,
      lengthBytes: paddedToSector(device, lengthBytes),
      offsetBytes: at,
    }).finally(() => progress.end("write", lengthBytes));
    progress.add("written", lengthBytes);
  }
}
