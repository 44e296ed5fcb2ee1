import type { ImportProgress as WireProgress } from "../../../proto/gen/pallet/v1/controller.ts";
import { foregroundClock } from "../../../proto/time/clock.ts";
import { settlesWithin } from "../../../proto/time/settles-within.ts";
import { maxUploadBytes, maxUploadChunkBytes } from "../../../proto/upload-limits.ts";
import { invalid } from "../../refusal/refusal.ts";
import type { HandedFile } from "../../uploads/handed-file.ts";
import type { Upload } from "../../uploads/uploads.ts";
import type { CallContext, CallHost } from "./handle-call.ts";
import type { ImportProgress } from "./parts.ts";

/** Progress is sent at most this often, in milliseconds. */
const progressEveryMs = 250;

/** A message of an upload: first a header, then the file's bytes. */
export interface UploadMessage<Header> {
  readonly part?:
    | { readonly $case: "header"; readonly value: Header }
    | { readonly $case: "chunk"; readonly value: Uint8Array }
    | undefined;
}

/** The header of a call, with which it has to begin; `rpc` is its name. */
export async function headerOf<Header>(parts: AsyncIterator<UploadMessage<Header>>, rpc: string): Promise<Header> {
  const first = await parts.next();
  if (first.done === true || first.value.part?.$case !== "header") {
    throw invalid(`the first message of ${rpc} must be its header`);
  }
  return first.value.part.value;
}

/**
 * How many bytes the header announces; 0 when it announces none. No image is longer, and so no file with one: a larger
 * number is refused before anything is taken. How much room there is does not decide: an image's zeros take none.
 */
export function announcedBytes(fileBytes: bigint): number {
  if (fileBytes > BigInt(maxUploadBytes))
    throw invalid(`the file was announced with ${fileBytes} bytes; a file has at most ${maxUploadBytes}`);
  return Number(fileBytes);
}

/** Claims the connection with this token for the call of a caller. */
export type ClaimUpload = (token: string) => Promise<Upload>;

/** How a call claims the connection that brings its file. */
export function claimFor({ uploads }: Pick<CallHost, "uploads">, { caller, signal }: CallContext): ClaimUpload {
  return async (token) => {
    if (uploads === undefined) throw invalid("this controller takes no uploads beside their calls: send chunks");
    return uploads.claim(token, caller, signal);
  };
}

/** The file of a call, in whichever way it comes. */
export interface ReceivedFile {
  readonly source: AsyncIterable<Uint8Array>;
  /** Absent where pieces are not used again. */
  readonly release?: (piece: Uint8Array) => void;
  /** The file itself, where there is more than its bytes. */
  readonly file?: HandedFile;
  close(): void;
}

/** The file that follows a header, or that the connection brings which the header names. */
export async function fileOf<Header>(
  parts: AsyncIterator<UploadMessage<Header>>,
  { upload: token, fileBytes }: { readonly upload: string | undefined; readonly fileBytes: number },
  rpc: string,
  claim: ClaimUpload,
): Promise<ReceivedFile> {
  if (token === undefined) return { source: counted(chunksOf(parts, rpc), fileBytes), close: () => undefined };
  const upload = await claim(token);
  const { file, release, close } = upload;
  const end = async (): Promise<void> => {
    if ((await parts.next()).done !== true) throw invalid(`chunks follow the header of ${rpc}, but it names an upload`);
  };
  if (file !== undefined) {
    try {
      await end();
    } catch (error) {
      close();
      throw error;
    }
    return { source: counted(upload.pieces(), fileBytes), release, file, close };
  }
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    yield* upload.pieces();
    // A connection that was cut off ends as one that is complete does.
    await end();
  };
  return { source: counted(bytes(), fileBytes), release, close };
}

/** The bytes that follow the header. */
async function* chunksOf<Header>(parts: AsyncIterator<UploadMessage<Header>>, rpc: string): AsyncGenerator<Uint8Array> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    const { part } = next.value;
    if (part?.$case !== "chunk") throw invalid(`after its header, every message of ${rpc} must be a chunk`);
    if (part.value.length > maxUploadChunkBytes) {
      throw invalid(`a chunk of ${part.value.length} bytes is too large; send at most ${maxUploadChunkBytes}`);
    }
    if (part.value.length > 0) yield part.value;
  }
}

/** The bytes of a file, as many as were announced; 0 for `fileBytes` when their number was not. */
async function* counted(bytes: AsyncIterable<Uint8Array>, fileBytes: number): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  for await (const piece of bytes) {
    receivedBytes += piece.length;
    if (fileBytes > 0 && receivedBytes > fileBytes) {
      throw invalid(`the file was announced with ${fileBytes} bytes, and more arrives; send it again`);
    }
    if (receivedBytes > maxUploadBytes)
      throw invalid(`the file is longer than ${maxUploadBytes} bytes, the most of one`);
    yield piece;
  }
  if (fileBytes > 0 && receivedBytes !== fileBytes) {
    throw invalid(`the file was announced with ${fileBytes} bytes, but ${receivedBytes} arrived; send it again`);
  }
}

/**
 * Work that takes in a file, as it continues: its progress at a bounded rate, until it has settled. Ending the
 * iteration early, or the signal, ends the work, and waits for it to have cleaned up.
 *
 * @param start starts the work
 * @param fileBytes length of the file; 0 when unknown
 * @param toResponse makes a message of the call of progress
 * @returns what the work came to
 */
export async function* progressOf<Result, Response>(
  start: (signal: AbortSignal, onProgress: (progress: ImportProgress) => void) => Promise<Result>,
  signal: AbortSignal,
  fileBytes: number,
  toResponse: (progress: WireProgress) => Response,
): AsyncGenerator<Response, Result> {
  const left = new AbortController();
  let latest: ImportProgress | undefined;
  const work = start(AbortSignal.any([signal, left.signal]), (progress) => {
    latest = progress;
  });
  try {
    while (!(await settlesWithin(foregroundClock, progressEveryMs, work))) {
      if (latest === undefined) continue;
      const received = { done: BigInt(latest.receivedBytes), total: BigInt(latest.totalBytes || fileBytes) };
      yield toResponse({ step: latest.step, received });
      latest = undefined;
    }
    return await work;
  } finally {
    left.abort();
    // Its error, if any, is on its way to the caller already.
    await work.catch(() => undefined);
  }
}
