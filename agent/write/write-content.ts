import type { Failure } from "../../proto/failure.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { OperationContext } from "../operations/executor.ts";
import { mismatch } from "./check-chunk.ts";
import { compareDisk } from "./compare-disk.ts";
import { createDiskSink } from "./disk-sink.ts";
import { fetchChunks, type Sink } from "./fetch-chunks.ts";
import { createRangeFetcher, type FetchSettings, type RangeFetcher } from "./fetch-range.ts";
import { createFrameDecoders, type FrameDecoders } from "./frame-decoders.ts";
import { allocateHead, createHeadSink, findDifference, type Head, writePartitionStart, writeTable } from "./head.ts";
import type { OpenDevice } from "./open-device.ts";
import { selectWitnesses } from "./plan-comparison.ts";
import { countFetched, type Fetch, planFetches } from "./plan-fetches.ts";
import { type ChunkSet, countBytes, planRuns, selectUsed } from "./plan-runs.ts";
import { readChunks } from "./read-chunks.ts";
import { syncDevice } from "./transfer.ts";
import { allocateTransferMemory, DECODERS, type TransferMemory } from "./transfer-memory.ts";

/** How often what was read back wrong is written again before the disk is given up. */
const REWRITES = 2;
/** A disk on which more than this is wrong has not lost some cells: it is broken, or smaller than it says. */
const MOST_REWRITTEN_BYTES = 64 * 1024 * 1024;
/** Frames that nobody needs are fetched too when they take no longer than a request: 1.3 ms on 100 Mb/s. */
const GAP_BYTES = 16 * 1024;

/** What to write. */
export interface Content {
  readonly device: OpenDevice;
  readonly manifest: PackManifest;
  /** "http://…" URL of the pack. */
  readonly url: string;
  readonly firstPartitionBytes: number;
  readonly full: boolean;
}

/** How it is fetched, and what happens on the way. */
export interface ContentParts {
  readonly fetchSettings: FetchSettings;
  /** Awaited when everything but what lies before the first partition is on the disk and proved. */
  readonly beforeTable: () => Promise<void>;
}

/** What the steps share. */
interface Run {
  readonly content: Content;
  readonly context: OperationContext;
  readonly memory: TransferMemory;
  readonly pack: RangeFetcher;
  readonly decoders: FrameDecoders;
  readonly head: Head;
}

/**
 * Puts the used chunks of an image on a disk without a partition table, proves that they are there, and then writes
 * what lies before the first partition. Throws a Failure.
 */
export async function writeContent(content: Content, parts: ContentParts, context: OperationContext): Promise<void> {
  const { device, manifest, firstPartitionBytes, full } = content;
  const { signal, progress, log } = context;
  const memory = allocateTransferMemory(manifest);
  const head = allocateHead(manifest, firstPartitionBytes);
  const decoders = createFrameDecoders(DECODERS, manifest.chunkBytes);
  const pack = createRangeFetcher({
    url: content.url,
    totalBytes: manifest.packBytes,
    settings: parts.fetchSettings,
    onBytes: (bytes) => progress.add("read", bytes),
    onResume: (atByte, error) => {
      log.warn({ err: error, atByte }, "a broken connection was taken up again");
      progress.resumed();
    },
  });
  const run: Run = { content, context, memory, pack, decoders, head };
  try {
    const used = selectUsed(manifest, head.chunks);
    progress.enter("erasing", { verified: countBytes(manifest, selectUsed(manifest)) });
    const equal = full ? new Uint8Array(used.length) : await compareDisk(used, { device, manifest, memory }, context);
    const wanted = used.map((chosen, chunk) => (equal[chunk] === 1 ? 0 : chosen));

    const ofHead = planAll(run, headChunks(run));
    const ofRest = planAll(run, wanted);
    const toWrite = countBytes(manifest, wanted) + head.bytes.length;
    progress.add("skipped", manifest.imageBytes - countBytes(manifest, used) - head.bytes.length);
    progress.enter("writing", {
      read: countFetched(ofHead) + countFetched(ofRest),
      written: toWrite,
      skipped: manifest.imageBytes - toWrite,
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
    decoders.close();
    pack.close();
  }
}

/** Reads back what was written, and writes again what is wrong, as long as that can help. */
async function prove(run: Run, written: ChunkSet, equal: ChunkSet): Promise<void> {
  const { content, context, memory, head } = run;
  const { device, manifest } = content;
  const { progress, log } = context;
  const place = { device, head, blocks: memory.blocks, context };
  const verified = equal.slice();
  const everything = written.map((chosen, chunk) => chosen | (equal[chunk] ?? 0));
  const witnesses = selectWitnesses(equal, count(written));
  let toRead = written.map((chosen, chunk) => chosen | (witnesses[chunk] ?? 0));
  let startProved = false;
  for (let rewrites = 0; ; rewrites += 1) {
    progress.enter("verifying");
    const wrong = new Uint8Array(manifest.chunkCount);
    let first: { readonly chunk: number; readonly found: Buffer } | undefined;
    await readChunks(
      planRuns(toRead, memory.chunksPerBlock),
      { device, manifest, blocks: memory.blocks, stage: "read-back" },
      (chunk, found) => {
        if (found !== undefined) {
          first ??= { chunk, found };
          wrong[chunk] = 1;
        } else if (verified[chunk] === 0) {
          verified[chunk] = 1;
          progress.add("verified", manifest.lengthOf(chunk));
        }
      },
      context,
    );
    const inStart = await findDifference(place, "partition-start");
    if (inStart === undefined && !startProved) {
      startProved = true;
      progress.add("verified", head.bytes.length - head.tableBytes);
    }
    if (first === undefined && inStart === undefined) return;

    const wrongBytes = countBytes(manifest, wrong);
    if (rewrites === REWRITES || wrongBytes > MOST_REWRITTEN_BYTES)
      throw asFailure(run, { first, inStart, wrongBytes });
    log.warn(
      { device: device.path, wrongBytes, firstByte: first && manifest.offsetOf(first.chunk), rewrites },
      "the disk does not hold what was written to it; it is written again",
    );
    const fetches = planAll(run, wrong);
    progress.enter("writing");
    if (inStart !== undefined) await writePartitionStart(place);
    await transfer(run, fetches, createDiskSink(manifest, device, memory, { ...progress, add: () => undefined }));
    progress.rewritten(wrongBytes + (inStart === undefined ? 0 : head.bytes.length - head.tableBytes));
    await sync(run);
    // All of it: on a card that is smaller than it says, what was written again lies in the place of something else.
    toRead = everything;
  }
}

async function writeAndProveTable(run: Run): Promise<void> {
  const { content, context, memory, head } = run;
  const place = { device: content.device, head, blocks: memory.blocks, context };
  for (let rewrites = 0; ; rewrites += 1) {
    await writeTable(place);
    const difference = await findDifference(place, "table");
    if (difference === undefined) break;
    if (rewrites === REWRITES) throw difference;
    context.log.warn({ err: difference }, "the disk does not hold the partition table that was written; once more");
    context.progress.rewritten(head.tableBytes);
  }
  context.progress.add("verified", head.tableBytes);
}

function asFailure(
  { content: { device, manifest } }: Run,
  wrong: {
    readonly first: { readonly chunk: number; readonly found: Buffer } | undefined;
    readonly inStart: Failure | undefined;
    readonly wrongBytes: number;
  },
): Failure {
  const { first, inStart, wrongBytes } = wrong;
  if (first === undefined && inStart !== undefined) return inStart;
  const { chunk, found } = first as NonNullable<typeof first>;
  const message =
    `${device.path} does not hold what was written to it: the ${manifest.lengthOf(chunk)} bytes at byte ` +
    `${manifest.offsetOf(chunk)} differ, ${wrongBytes} bytes in all; ` +
    "the card is worn out or not as large as it says, replace it";
  return mismatch({ device: device.path, manifest, message }, { chunk, found });
}

async function transfer(
  { content: { manifest }, context, memory, pack, decoders }: Run,
  fetches: readonly Fetch[],
  sink: Sink,
): Promise<void> {
  const { ranges, rangesAtOnce } = memory;
  await fetchChunks(fetches, { manifest, pack, decoders, ranges, rangesAtOnce }, sink, context);
}

async function sync({ content: { device }, context: { progress, signal } }: Run): Promise<void> {
  progress.enter("syncing");
  await syncDevice(device);
  signal.throwIfAborted();
}

function planAll({ content: { manifest }, memory }: Run, chunks: ChunkSet): Fetch[] {
  const { rangeBytes, chunksPerBlock } = memory;
  return planFetches(manifest, planRuns(chunks, chunksPerBlock), { rangeBytes, gapBytes: GAP_BYTES });
}

function headChunks({ content: { manifest }, head }: Run): ChunkSet {
  return new Uint8Array(manifest.chunkCount).fill(1, 0, head.chunks);
}

function count(chunks: ChunkSet): number {
  return chunks.reduce((sum, chosen) => sum + chosen, 0);
}
