import type { Failure } from "../../proto/failure.ts";
import type { PlacedBytes } from "../card/table-changes.ts";
import { mismatch } from "./check-chunk.ts";
import { type ContentWork, planChunks, sync, transfer } from "./content-work.ts";
import { createDiskSink } from "./disk-sink.ts";
import { findDifference, writePartitionStart, writeTable } from "./image-start.ts";
import { selectWitnesses } from "./plan-comparison.ts";
import { type ChunkSet, countBytes, planRuns } from "./plan-runs.ts";
import { readChunks } from "./read-chunks.ts";
import { findBackupDifference, writeBackup } from "./table-backup.ts";

/** How often to rewrite what did not verify before the disk counts as broken. */
const mostRewrites = 2;
/** If more than this is wrong, the disk has not just lost some cells: it is broken, or smaller than it claims. */
const mostRewrittenBytes = 64 * 1024 * 1024;
/**
 * Reads back what was written, and some of what was found `equal` before, and writes again what is wrong, as long as
 * that can help. Throws the Failure "verify-mismatch" when it does not.
 */
export async function prove(work: ContentWork, written: ChunkSet, equal: ChunkSet): Promise<void> {
  const { content, context, memory, start } = work;
  const { device, manifest } = content;
  const { progress, log } = context;
  const place = { device, start, blocks: memory.blocks, context };
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
      progress.add("verified", start.bytes.length - start.tableBytes);
    }
    if (first === undefined && inStart === undefined) return;

    const wrongBytes = countBytes(manifest, wrong);
    if (rewrites === mostRewrites || wrongBytes > mostRewrittenBytes)
      throw asFailure(work, { first, inStart, wrongBytes });
    log.warn(
      { device: device.path, wrongBytes, firstByte: first && manifest.offsetOf(first.chunk), rewrites },
      "the disk does not hold what was written to it; writing it again",
    );
    const fetches = planChunks(work, wrong);
    progress.enter("writing");
    if (inStart !== undefined) await writePartitionStart(place);
    await transfer(work, fetches, createDiskSink(manifest, device, memory, { ...progress, add: () => undefined }));
    progress.rewritten(wrongBytes + (inStart === undefined ? 0 : start.bytes.length - start.tableBytes));
    await sync(work);
    // All of it: on a card that is smaller than it says, what was written again is in place of something else.
    toRead = everything;
  }
}

/**
 * Writes everything before the first partition, and before that the backup of the table at the end of the disk if there
 * is one, and proves that they are there, with the same retries.
 */
export async function writeAndProveTable(work: ContentWork, backup?: PlacedBytes): Promise<void> {
  const { content, context, memory, start } = work;
  const place = { device: content.device, start, blocks: memory.blocks, context };
  for (let rewrites = 0; ; rewrites += 1) {
    if (backup !== undefined) await writeBackup(content.device, backup);
    await writeTable(place);
    const difference =
      (await findDifference(place, "table")) ?? (backup && (await findBackupDifference(content.device, backup)));
    if (difference === undefined) break;
    if (rewrites === mostRewrites) throw difference;
    context.log.warn(
      { err: difference },
      "the disk does not hold the partition table that was written; writing it again",
    );
    context.progress.rewritten(start.tableBytes);
  }
  context.progress.add("verified", start.tableBytes);
}

function asFailure(
  { content: { device, manifest } }: ContentWork,
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
    "the card is worn out or smaller than it claims; replace it";
  return mismatch({ device: device.path, manifest, message }, { chunk, found });
}

function count(chunks: ChunkSet): number {
  return chunks.reduce((sum, chosen) => sum + chosen, 0);
}
