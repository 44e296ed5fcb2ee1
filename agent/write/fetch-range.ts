import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { type BackoffPolicy, backoff } from "../registration/backoff.ts";
import { checkPartialResponse, ifRange, TemporaryError, type Validators } from "./check-partial-response.ts";

/** How patient a fetch is. */
export interface FetchSettings {
  /** A connection on which no byte came for so long while one was awaited is broken, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** The fetch is given up when no byte came for so long, over however many connections, in milliseconds. */
  readonly giveUpAfterMs: number;
  /** Waits between connections that brought nothing. */
  readonly backoff: BackoffPolicy;
}

/** Patient enough for a switch that restarts, and for a controller that does. */
export const defaultFetchSettings: FetchSettings = {
  idleTimeoutMs: 15_000,
  giveUpAfterMs: 120_000,
  backoff: { firstMs: 100, capMs: 5_000, random: Math.random },
};

/** What to fetch. */
export interface FetchRequest {
  /** "http://…" URL. */
  readonly url: string;
  /** Number of bytes that it has to have. */
  readonly totalBytes: number;
  readonly settings: FetchSettings;
  readonly signal: AbortSignal;
  /** Called with the number of bytes of each piece that came. */
  readonly onBytes: (bytes: number) => void;
  /** Called whenever a broken connection was taken up again, with the byte and with what had broken it. */
  readonly onResume: (atByte: number, error: unknown) => void;
}

/**
 * The bytes at a URL, exactly as many as they have to be, over HTTP/1.1 with Range requests. A connection that breaks or
 * stalls is taken up again at the very byte. Memory: what one connection buffers; a slow reader slows the sender.
 *
 * Throws a Failure "fetch-failed" when the server does not do what it must, or gave no byte for too long; "image-damaged"
 * when what it has is not, or is no longer, the file that is wanted; and the signal's reason when that aborts.
 */
export async function* fetchRange(request: FetchRequest): AsyncGenerator<Buffer, void, undefined> {
  const { url, totalBytes, settings, signal } = request;
  let position = 0;
  let validators: Validators | undefined;
  let waits = backoff(settings.backoff);
  let lastByteAt = performance.now();
  let broken: unknown;

  while (position < totalBytes) {
    try {
      const response = await connect(request, position, validators);
      try {
        const wanted = { url, fromByte: position, totalBytes, validators };
        const found = checkPartialResponse({ statusCode: response.statusCode ?? 0, headers: response.headers }, wanted);
        if (validators !== undefined) request.onResume(position, broken);
        validators ??= found;
        for await (const bytes of pieces(response, settings.idleTimeoutMs)) {
          position += bytes.length;
          if (position > totalBytes) throw tooMuch(url, totalBytes);
          request.onBytes(bytes.length);
          waits = backoff(settings.backoff);
          yield bytes;
          // Time that the reader took is not the server's fault.
          lastByteAt = performance.now();
        }
        if (position < totalBytes) throw new TemporaryError("the connection ended early");
      } finally {
        response.destroy();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      broken = error;
      const waitedMs = performance.now() - lastByteAt;
      if (waitedMs >= settings.giveUpAfterMs) {
        throw new Failure(
          "fetch-failed",
          `no byte of ${url} came for ${Math.round(waitedMs / 1_000)} s, at byte ${position} of ${totalBytes}: ` +
            `${messageOf(error)}; is the controller up and the network whole?`,
          { cause: error },
        );
      }
      await delay(waits.next().value, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** Sends the request and waits for the head of the answer. */
async function connect(
  { url, settings, signal }: FetchRequest,
  fromByte: number,
  validators: Validators | undefined,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const condition = validators && ifRange(validators);
  const request = get(url, {
    agent: false,
    headers: {
      range: `bytes=${fromByte}-`,
      "accept-encoding": "identity",
      ...(condition !== undefined && { "if-range": condition }),
    },
  });
  const abort = (): void => void request.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  const stalled = setTimeout(() => request.destroy(silence(settings.idleTimeoutMs)), settings.idleTimeoutMs);
  let response: IncomingMessage;
  try {
    [response] = (await once(request, "response")) as [IncomingMessage];
  } catch (error) {
    signal.removeEventListener("abort", abort);
    throw error;
  } finally {
    clearTimeout(stalled);
  }
  // From here on an error shows in the answer's stream, and as a repetition on the request.
  request.on("error", () => undefined);
  signal.removeEventListener("abort", abort);
  const abortResponse = (): void => void response.destroy(new Error("aborted"));
  signal.addEventListener("abort", abortResponse, { once: true });
  response.once("close", () => signal.removeEventListener("abort", abortResponse));
  return response;
}

/** The body in the pieces in which it arrives; throws when none arrives for too long although one is awaited. */
async function* pieces(response: IncomingMessage, idleTimeoutMs: number): AsyncGenerator<Buffer, void, undefined> {
  const iterator = response[Symbol.asyncIterator]();
  for (;;) {
    const stalled = setTimeout(() => response.destroy(silence(idleTimeoutMs)), idleTimeoutMs);
    try {
      const { done, value } = await iterator.next();
      if (done) return;
      clearTimeout(stalled);
      yield value as Buffer;
    } finally {
      clearTimeout(stalled);
    }
  }
}

function silence(idleTimeoutMs: number): TemporaryError {
  return new TemporaryError(`the server was silent for ${idleTimeoutMs / 1_000} s`);
}

function tooMuch(url: string, totalBytes: number): Failure {
  return new Failure("image-damaged", `more bytes than the ${totalBytes} of the image came from ${url}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
