import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { FrameDecompressors } from "../../proto/pack/zstd-frames.ts";
import type { RangeFetcher } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import { fetchChunks, type Sink } from "./fetch-chunks.ts";
import type { ImageStart } from "./image-start.ts";
import type { OpenDevice } from "./open-device.ts";
import { type Fetch, planFetches } from "./plan-fetches.ts";
import { type ChunkSet, planRuns } from "./plan-runs.ts";
import { syncDevice } from "./transfer.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/** Unneeded frames are fetched too if that takes no longer than another request: 1.3 ms at 100 Mb/s. */
const gapBytes = 16 * 1024;

/** What to write. */
export interface Content {
  readonly device: OpenDevice;
  readonly manifest: PackManifest;
  /** "http://…" URL of the pack. */
  readonly url: string;
  readonly firstPartitionBytes: number;
  readonly full: boolean;
}

/** What the steps of putting an image on a disk share. */
export interface ContentWork {
  readonly content: Content;
  readonly context: OperationContext;
  readonly memory: TransferMemory;
  readonly pack: RangeFetcher;
  readonly decompressors: FrameDecompressors;
  readonly start: ImageStart;
}

/** Fetches chunks into a sink. */
export async function transfer(
  { content: { manifest }, context, memory, pack, decompressors }: ContentWork,
  fetches: readonly Fetch[],
  sink: Sink,
): Promise<void> {
  const { ranges, rangesAtOnce } = memory;
  await fetchChunks(fetches, { manifest, pack, decompressors, ranges, rangesAtOnce }, sink, context);
}

/** Flushes what was written. */
export async function sync({ content: { device }, context: { progress, signal } }: ContentWork): Promise<void> {
  progress.enter("syncing");
  await syncDevice(device);
  signal.throwIfAborted();
}

/** The requests that bring these chunks. */
export function planChunks({ content: { manifest }, memory }: ContentWork, chunks: ChunkSet): Fetch[] {
  const { rangeBytes, chunksPerBlock } = memory;
  return planFetches(manifest, planRuns(chunks, chunksPerBlock), { rangeBytes, gapBytes });
}
