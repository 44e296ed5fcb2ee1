import { maxFrameBytes, type PackManifest } from "../../proto/pack/pack-manifest.ts";
import { allocatePageAligned } from "../linux/page-aligned.ts";
import { createBufferPool, createPool, type Pool } from "./buffer-pool.ts";

const mebibyte = 1024 * 1024;

/** Disks are written and read in pieces that end at multiples of this, unless a chunk is longer. */
const leastBlockBytes = mebibyte;
/** Blocks being filled, written, or waiting for either. */
const blockCount = 10;
/** Longest range of the pack that is fetched with one request, unless a frame is longer. */
const leastRangeBytes = mebibyte;
/** Ranges that are fetched at once, or of which frames are decompressed. */
const rangeCount = 6;
/**
 * Writes that the disk is given at once: it has the next ones before it has finished one. libuv's pool has four
 * threads, so a disk that does not answer leaves one for everything else.
 */
const writesAtOnce = 3;
/** Decompressors; a board has four cores, of which one fetches, checks and hands out. */
export const decompressorCount = 3;

/**
 * The memory of one write, all of it taken at the start and used again and again: `rangeCount` ranges, `blockCount`
 * blocks and one block of zeros, which is 17 MiB for chunks of up to 1 MiB. To that come everything before the first
 * partition (at most 64 MiB, usually 4), the manifest (35 bytes for each chunk with data) and 1 MiB of decompressors
 * and connections; the rest is Node's own. Fewer ranges and blocks make the stages wait for each other: with 3 and 6 a
 * write took a tenth longer, with more no less (measured). The peak resident set of the whole agent's binary is in
 * scripts/bench/RESULTS.md.
 */
export interface TransferMemory {
  readonly ranges: Pool<Buffer<ArrayBuffer>>;
  readonly rangesAtOnce: number;
  readonly rangeBytes: number;
  readonly blocks: Pool<Buffer<ArrayBuffer>>;
  readonly chunksPerBlock: number;
  readonly zeros: Buffer<ArrayBuffer>;
  /** Permits for writes in flight. */
  readonly writes: Pool<number>;
}

/** Takes the memory for images of this manifest's chunk size. */
export function allocateTransferMemory({ chunkBytes }: PackManifest): TransferMemory {
  const chunksPerBlock = Math.max(1, leastBlockBytes / chunkBytes);
  const blockBytes = chunksPerBlock * chunkBytes;
  const rangeBytes = Math.max(leastRangeBytes, chunksPerBlock * maxFrameBytes(chunkBytes));
  return {
    ranges: createPool(Array.from({ length: rangeCount }, () => Buffer.allocUnsafeSlow(rangeBytes))),
    rangesAtOnce: rangeCount,
    rangeBytes,
    blocks: createBufferPool(blockCount, blockBytes),
    chunksPerBlock,
    zeros: allocatePageAligned(blockBytes),
    writes: createPool(Array.from({ length: writesAtOnce }, (_, index) => index)),
  };
}
