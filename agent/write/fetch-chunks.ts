import { Failure } from "../../proto/failure.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { Pool } from "./buffer-pool.ts";
import { checkChunk, expectedOf, named } from "./check-chunk.ts";
import type { RangeFetcher } from "./fetch-range.ts";
import type { FrameDecoders } from "./frame-decoders.ts";
import { inOrder } from "./in-order.ts";
import type { Fetch } from "./plan-fetches.ts";
import type { Run } from "./plan-runs.ts";

/** Where runs of chunks go. */
export interface Sink {
  /** Memory for a run that holds data; waits until there is some. Its bytes may be anything. */
  take(run: Run, signal: AbortSignal): Promise<Buffer>;
  /** Consumes a run, whose chunks stand in the memory one after the other, all of them checked. */
  put(run: Run, buffer: Buffer, signal: AbortSignal): Promise<void>;
  /** Consumes a run of nothing but zeros; waits until it can. */
  putZeros(run: Run, signal: AbortSignal): Promise<void>;
}

/** What a transfer works with. */
export interface ChunkSource {
  readonly manifest: PackManifest;
  readonly pack: RangeFetcher;
  readonly decoders: FrameDecoders;
  /** Memory for ranges of the pack; a request is made when there is some for all that it brings. */
  readonly ranges: Pool<Buffer<ArrayBuffer>>;
  /** How many ranges are fetched at once. */
  readonly rangesAtOnce: number;
}

/**
 * Fetches runs of chunks, decompresses and checks them, and hands them to a sink. Everything waits for the memory of
 * the stage behind it, so that a slow disk in the end stops the requests.
 *
 * A frame that yields something else than the manifest says is fetched once more. Rejects with a Failure "image-damaged"
 * that names the chunk when that does not help, with what the fetcher or the sink rejects with, or with the signal's
 * reason; by then nothing is under way any more, and the memory is of no use to another transfer.
 */
export async function fetchChunks(
  fetches: readonly Fetch[],
  source: ChunkSource,
  sink: Sink,
  { signal: cancelled, progress, log }: OperationContext,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([cancelled, stop.signal]);
  const { manifest, pack, decoders, ranges } = source;
  const consuming = new Set<Promise<void>>();
  /** Only the first counts: the others follow from it. */
  const fail = (error: unknown): void => stop.abort(error);

  const fetchRange = async (fetch: Fetch): Promise<{ fetch: Fetch; bytes: Buffer; release: () => void }> => {
    const { fromByte, lengthBytes } = fetch;
    if (lengthBytes === 0) return { fetch, bytes: Buffer.alloc(0), release: () => undefined };
    const buffer = await ranges.take(signal);
    const bytes = buffer.subarray(0, lengthBytes);
    progress.begin("fetch");
    let fetched = 0;
    try {
      await pack.fetchInto(bytes, fromByte, signal);
      fetched = lengthBytes;
    } finally {
      progress.end("fetch", fetched);
    }
    return { fetch, bytes, release: () => ranges.give(buffer) };
  };

  /** Calls back with what is wrong, if something is. */
  const decode = (chunk: number, frame: Uint8Array, target: Uint8Array, done: (wrong: Wrong | undefined) => void) => {
    progress.begin("decompress");
    decoders.decode(frame, target, (problem) => {
      progress.end("decompress", problem === undefined ? target.length : 0);
      if (problem !== undefined) {
        done({ problem: `its frame is damaged: ${problem}` });
        return;
      }
      progress.begin("check");
      const found = checkChunk(manifest, chunk, target);
      progress.end("check", target.length);
      done(found && { problem: "its content is not what the manifest says", found });
    });
  };

  const fetchAgain = async (chunk: number, target: Uint8Array, wrong: Wrong): Promise<void> => {
    signal.throwIfAborted();
    log.warn({ chunk, problem: wrong.problem }, "a chunk arrived damaged and is fetched again");
    const frame = Buffer.allocUnsafe(manifest.frameLengthOf(chunk));
    await pack.fetchInto(frame, manifest.frameOffsetOf(chunk), signal);
    const still = await new Promise<Wrong | undefined>((resolve) => decode(chunk, frame, target, resolve));
    signal.throwIfAborted();
    if (still === undefined) return;
    throw new Failure(
      "image-damaged",
      `what was fetched is not the image: chunk ${chunk}, the ${target.length} bytes at byte ` +
        `${manifest.offsetOf(chunk)}, is damaged on the server or on the way: ${still.problem}`,
      { expected: expectedOf(manifest, chunk), ...(still.found && { found: named(still.found) }) },
    );
  };

  /** Decompresses a run out of the range that holds its frames; calls `onFrame` for each frame that is done with. */
  const decodeRun = async (run: Run, from: Fetched, buffer: Buffer, onFrame: () => void): Promise<void> => {
    const { promise: decoded, resolve } = Promise.withResolvers<void>();
    const damaged: { chunk: number; target: Buffer; wrong: Wrong }[] = [];
    const start = manifest.offsetOf(run.first);
    let left = 1;
    const oneLess = (): void => {
      left -= 1;
      if (left === 0) resolve();
    };
    for (let chunk = run.first; chunk < run.first + run.count; chunk += 1) {
      const at = manifest.offsetOf(chunk) - start;
      const target = buffer.subarray(at, at + manifest.lengthOf(chunk));
      if (manifest.kindOf(chunk) === "zero") {
        target.fill(0);
        continue;
      }
      const frameStart = manifest.frameOffsetOf(chunk) - from.fetch.fromByte;
      const frame = from.bytes.subarray(frameStart, frameStart + manifest.frameLengthOf(chunk));
      left += 1;
      decode(chunk, frame, target, (wrong) => {
        if (wrong !== undefined) damaged.push({ chunk, target, wrong });
        onFrame();
        oneLess();
      });
    }
    oneLess();
    await decoded;
    for (const { chunk, target, wrong } of damaged) await fetchAgain(chunk, target, wrong);
  };

  const consume = (work: Promise<void>): void => {
    const consumed = work.catch(fail).finally(() => consuming.delete(consumed));
    consuming.add(consumed);
  };

  try {
    for await (const fetched of inOrder(fetches, {
      atOnce: source.rangesAtOnce,
      start: (fetch) =>
        fetchRange(fetch).catch((error: unknown) => {
          fail(error);
          throw error;
        }),
    })) {
      // Everything of this range, and this loop.
      let users = 1;
      const oneLess = (): void => {
        users -= 1;
        if (users === 0) fetched.release();
      };
      for (const run of fetched.fetch.runs) {
        signal.throwIfAborted();
        const frames = countData(manifest, run);
        if (frames === 0) {
          consume(sink.putZeros(run, signal));
          continue;
        }
        const buffer = await sink.take(run, signal);
        users += frames;
        consume(decodeRun(run, fetched, buffer, oneLess).then(() => sink.put(run, buffer, signal)));
      }
      oneLess();
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(consuming);
  signal.throwIfAborted();
}

interface Fetched {
  readonly fetch: Fetch;
  readonly bytes: Buffer;
}

interface Wrong {
  readonly problem: string;
  readonly found?: Buffer;
}

function countData(manifest: PackManifest, { first, count }: Run): number {
  let data = 0;
  for (let chunk = first; chunk < first + count; chunk += 1) if (manifest.kindOf(chunk) === "data") data += 1;
  return data;
}
