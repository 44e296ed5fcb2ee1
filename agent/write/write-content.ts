import type { FrameDecompressors } from "../../proto/pack/zstd-frames.ts";
import type { PlacedBytes } from "../card/table-changes.ts";
import { createRangeFetcher, type FetchSettings } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import { compareDisk } from "./compare-disk.ts";
import { type Content, type ContentWork, planChunks, sync, transfer } from "./content-work.ts";
import { createDiskSink } from "./disk-sink.ts";
import { allocateImageStart, createImageStartSink, writePartitionStart } from "./image-start.ts";
import { countFetched } from "./plan-fetches.ts";
import { type ChunkSet, countBytes, selectUsed } from "./plan-runs.ts";
import { prove, writeAndProveTable } from "./prove-content.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/** How it is fetched, and callbacks. */
export interface ContentParts {
  readonly memory: TransferMemory;
  readonly decompressors: FrameDecompressors;
  readonly fetchSettings: FetchSettings;
  /**
   * Awaited when everything except the area before the first partition is on the disk and proved. Gets that area as the
   * image has it, which it may change in place, and gives what belongs at the end of the disk with it.
   */
  readonly beforeTable: (table: Buffer) => Promise<PlacedBytes | undefined>;
}

/**
 * Puts the used chunks of an image on a disk without a partition table, proves that they are there, and then writes
 * everything before the first partition. Throws a Failure.
 */
export async function writeContent(content: Content, parts: ContentParts, context: OperationContext): Promise<void> {
  const { device, manifest, firstPartitionBytes, full } = content;
  const { signal, progress, log } = context;
  const { memory, decompressors } = parts;
  const start = allocateImageStart(manifest, firstPartitionBytes);
  const pack = createRangeFetcher({
    url: content.url,
    totalBytes: manifest.packBytes,
    settings: parts.fetchSettings,
    onBytes: (bytes) => progress.add("read", bytes),
    onResume: (atByte, error) => {
      log.warn({ err: error, atByte }, "resumed a broken connection");
      progress.resumed();
    },
  });
  const work: ContentWork = { content, context, memory, pack, decompressors, start };
  try {
    const used = selectUsed(manifest, start.chunks);
    const equal = full ? new Uint8Array(used.length) : await compareDisk(used, { device, manifest, memory }, context);
    const wanted = used.map((chosen, chunk) => (equal[chunk] === 1 ? 0 : chosen));

    const ofStart = planChunks(work, startChunks(work));
    const ofRest = planChunks(work, wanted);
    const toWrite = countBytes(manifest, wanted) + start.bytes.length;
    progress.add("skipped", manifest.imageBytes - countBytes(manifest, used) - start.bytes.length);
    progress.enter("writing", {
      read: countFetched(ofStart) + countFetched(ofRest),
      written: toWrite,
      skipped: manifest.imageBytes - toWrite,
      verified: countBytes(manifest, selectUsed(manifest)),
    });
    await transfer(work, ofStart, createImageStartSink(start, manifest));
    await writePartitionStart({ device, start, blocks: memory.blocks, context });
    await transfer(work, ofRest, createDiskSink(manifest, device, memory, progress));
    await sync(work);

    await prove(work, wanted, equal);
    const backup = await parts.beforeTable(start.bytes.subarray(0, start.tableBytes));
    progress.enter("writing-table");
    await writeAndProveTable(work, backup);
    signal.throwIfAborted();
  } finally {
    pack.close();
  }
}

function startChunks({ content: { manifest }, start }: ContentWork): ChunkSet {
  return new Uint8Array(manifest.chunkCount).fill(1, 0, start.chunks);
}
