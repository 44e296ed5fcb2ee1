import { Failure, messageOf } from "../../proto/failure.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";
import type { FrameDecompressors } from "../../proto/pack/zstd-frames.ts";
import type { RangeFetcher } from "../fetch/fetch-range.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { Pool } from "./buffer-pool.ts";
import { checkChunk, expectedOf, named } from "./check-chunk.ts";
import { inOrder } from "./in-order.ts";
import type { Fetch } from "./plan-fetches.ts";
import type { ChunkRun } from "./plan-runs.ts";

/** Where runs of chunks go. */
export interface Sink {
  /** Memory for a run that holds data; waits until some is free. Its content is undefined. */
  take(run: ChunkRun, signal: AbortSignal): Promise<Buffer>;
  /** Consumes a run, whose chunks stand in the memory one after the other, all of them checked. */
  put(run: ChunkRun, buffer: Buffer, signal: AbortSignal): Promise<void>;
  /** Consumes a run of nothing but zeros; waits until it can. */
  putZeros(run: ChunkRun, signal: AbortSignal): Promise<void>;
}

/** What a transfer works with. */
export interface ChunkSource {
  readonly manifest: PackManifest;
  readonly pack: RangeFetcher;
  readonly decompressors: FrameDecompressors;
  /** Memory for ranges of the pack; a request is made when there is some for all that it brings. */
  readonly ranges: Pool<Buffer<ArrayBuffer>>;
  /** How many ranges are fetched at once. */
  readonly rangesAtOnce: number;
}

/**
 * Fetches runs of chunks, decompresses and checks them, and hands them to a sink. Everything waits for the memory of
 * the stage behind it, so that a slow disk in the end stops the requests.
 *
 * A frame that yields something else than the manifest says is fetched once more. Rejects with a Failure
 * "image-damaged" that names the chunk when that does not help, with what the fetcher or the sink rejects with, or with
 * the signal's reason; by then nothing is under way any more, and the memory is of no use to another transfer.
 */
export async function fetchChunks(
  fetches: readonly Fetch[],
  source: ChunkSource,
  sink: Sink,
  { signal: cancelled, progress, log }: OperationContext,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([cancelled, stop.signal]);
  const { manifest, pack, decompressors, ranges } = source;
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

  /** What is wrong with the frames, if anything. */
  const decompress = async (frames: Uint8Array, target: Uint8Array): Promise<string | undefined> => {
    progress.begin("decompress");
    try {
      await decompressors.decompress(frames, target);
      progress.end("decompress", target.length);
      return undefined;
    } catch (error) {
      progress.end("decompress", 0);
      return messageOf(error);
    }
  };

  const check = (chunk: number, bytes: Uint8Array): Wrong | undefined => {
    progress.begin("check");
    const found = checkChunk(manifest, chunk, bytes);
    progress.end("check", bytes.length);
    return found && { problem: "its content does not match the manifest", found };
  };

  const decodeChunk = async (chunk: number, frame: Uint8Array, target: Uint8Array): Promise<Wrong | undefined> => {
    const problem = await decompress(frame, target);
    return problem === undefined ? check(chunk, target) : { problem: `its frame is damaged: ${problem}` };
  };

  const fetchAgain = async ({ chunk, target, wrong }: Damaged): Promise<void> => {
    signal.throwIfAborted();
    log.warn({ chunk, problem: wrong.problem }, "a chunk arrived damaged; fetching it again");
    const frame = Buffer.allocUnsafe(manifest.frameLengthOf(chunk));
    await pack.fetchInto(frame, manifest.frameOffsetOf(chunk), signal);
    const still = await decodeChunk(chunk, frame, target);
    signal.throwIfAborted();
    if (still === undefined) return;
    throw new Failure(
      "image-damaged",
      `what was fetched is not the image: chunk ${chunk}, the ${target.length} bytes at byte ` +
        `${manifest.offsetOf(chunk)}, is damaged on the server or in transit: ${still.problem}`,
      { expected: expectedOf(manifest, chunk), ...(still.found && { found: named(still.found) }) },
    );
  };

  /**
   * Decompresses and checks chunks that hold data out of the range that holds their frames; resolves with those that
   * are damaged.
   */
  const decodeData = async (
    { first, count }: ChunkRun,
    from: Fetched,
    targetOf: TargetOf,
  ): Promise<readonly Damaged[]> => {
    const framesOf = (chunk: number, chunks: number): Buffer => {
      const { fromByte } = from.fetch;
      return from.bytes.subarray(
        manifest.frameOffsetOf(chunk) - fromByte,
        manifest.frameOffsetOf(chunk + chunks) - fromByte,
      );
    };
    // All in one batch: handing a frame to another thread and back costs as much as decompressing it.
    const problem = await decompress(framesOf(first, count), targetOf(first, count));
    const damaged: Damaged[] = [];
    for (let chunk = first; chunk < first + count; chunk += 1) {
      const target = targetOf(chunk, 1);
      const wrong = problem === undefined ? check(chunk, target) : await decodeChunk(chunk, framesOf(chunk, 1), target);
      if (wrong !== undefined) damaged.push({ chunk, target, wrong });
    }
    return damaged;
  };

  /** Fills the buffer with a run; `onFrames` is called when its frames are needed no longer. */
  const decodeRun = async (run: ChunkRun, from: Fetched, buffer: Buffer, onFrames: () => void): Promise<void> => {
    const start = manifest.offsetOf(run.first);
    const targetOf: TargetOf = (chunk, chunks) => {
      const last = chunk + chunks - 1;
      return buffer.subarray(
        manifest.offsetOf(chunk) - start,
        manifest.offsetOf(last) + manifest.lengthOf(last) - start,
      );
    };
    const { data, zeros } = splitByKind(manifest, run);
    for (const { first, count } of zeros) targetOf(first, count).fill(0);
    const damaged = (await Promise.all(data.map((piece) => decodeData(piece, from, targetOf)))).flat();
    onFrames();
    for (const chunk of damaged) await fetchAgain(chunk);
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
      // Leaves the loop over this range.
      let users = 1;
      const oneLess = (): void => {
        users -= 1;
        if (users === 0) fetched.release();
      };
      for (const run of fetched.fetch.runs) {
        signal.throwIfAborted();
        if (!holdsData(manifest, run)) {
          consume(sink.putZeros(run, signal));
          continue;
        }
        const buffer = await sink.take(run, signal);
        users += 1;
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

interface Damaged {
  readonly chunk: number;
  readonly target: Buffer;
  readonly wrong: Wrong;
}

/** Where some adjacent chunks of a run are to stand. */
type TargetOf = (first: number, count: number) => Buffer;

function holdsData(manifest: PackManifest, { first, count }: ChunkRun): boolean {
  for (let chunk = first; chunk < first + count; chunk += 1) if (manifest.kindOf(chunk) === "data") return true;
  return false;
}

/** The longest pieces of a run that hold data, and those that hold zeros. */
function splitByKind(
  manifest: PackManifest,
  run: ChunkRun,
): { readonly data: readonly ChunkRun[]; readonly zeros: readonly ChunkRun[] } {
  const data: ChunkRun[] = [];
  const zeros: ChunkRun[] = [];
  const end = run.first + run.count;
  for (let first = run.first; first < end; ) {
    const kind = manifest.kindOf(first);
    let next = first + 1;
    while (next < end && manifest.kindOf(next) === kind) next += 1;
    (kind === "zero" ? zeros : data).push({ first, count: next - first });
    first = next;
  }
  return { data, zeros };
}
