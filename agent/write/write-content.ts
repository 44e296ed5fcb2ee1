import type { FrameDecompressors } from "../../proto/pack/zstd-frames.ts";
import { createRangeFetcher, type FetchSettings } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import { compareDisk } from "./compare-disk.ts";
import { type Content, type ContentRun, planChunks, sync, transfer } from "./content-run.ts";
import { createDiskSink } from "./disk-sink.ts";
import { allocateHead, createHeadSink, writePartitionStart } from "./head.ts";
import { countFetched } from "./plan-fetches.ts";
import { type ChunkSet, countBytes, selectUsed } from "./plan-runs.ts";
import { prove, writeAndProveTable } from "./prove-content.ts";
import type { TransferMemory } from "./transfer-memory.ts";

/** How it is fetched, and what happens on the way. */
export interface ContentParts {
  readonly memory: TransferMemory;
  readonly decompressors: FrameDecompressors;
  readonly fetchSettings: FetchSettings;
  /** Awaited when everything except the area before the first partition is on the disk and proved. */
  readonly beforeTable: () => Promise<void>;
}

/**
 * Puts the used chunks of an image on a disk without a partition table, proves that they are there, and then writes
 * everything before the first partition. Throws a Failure.
 */
export async function writeContent(content: Content, parts: ContentParts, context: OperationContext): Promise<void> {
  const { device, manifest, firstPartitionBytes, full } = content;
  const { signal, progress, log } = context;
  const { memory, decompressors } = parts;
  const head = allocateHead(manifest, firstPartitionBytes);
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
  const run: ContentRun = { content, context, memory, pack, decompressors, head };
  try {
    const used = selectUsed(manifest, head.chunks);
    const equal = full ? new Uint8Array(used.length) : await compareDisk(used, { device, manifest, memory }, context);
    const wanted = used.map((chosen, chunk) => (equal[chunk] === 1 ? 0 : chosen));

    const ofHead = planChunks(run, headChunks(run));
    const ofRest = planChunks(run, wanted);
    const toWrite = countBytes(manifest, wanted) + head.bytes.length;
    progress.add("skipped", manifest.imageBytes - countBytes(manifest, used) - head.bytes.length);
    progress.enter("writing", {
      read: countFetched(ofHead) + countFetched(ofRest),
      written: toWrite,
      skipped: manifest.imageBytes - toWrite,
      verified: countBytes(manifest, selectUsed(manifest)),
    });
    await transfer(run, ofHead, createHeadSink(head, manifest));
    await writePartitionStart({ device, head, blocks: memory.blocks, context });
    await transfer(run, ofRest, createDiskSink(manifest, device, memory, progress));
    await sync(run);

    await prove(run, wanted, equal);
    await parts.beforeTable();
    progress.enter("writing-table");
    await writeAndProveTable(run);
    signal.throwIfAborted();
  } finally {
    pack.close();
  }
}

function headChunks({ content: { manifest }, head }: ContentRun): ChunkSet {
  return new Uint8Array(manifest.chunkCount).fill(1, 0, head.chunks);
}
