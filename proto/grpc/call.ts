import type { ServiceError } from "@grpc/grpc-js";
import { type CallOptions, type ClientReadableStream, type ClientUnaryCall, Metadata } from "@grpc/grpc-js";

/** A unary method of a generated client. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Deadline and cancellation of a call. */
export interface CallPatience {
  /** Until the call ends with DEADLINE_EXCEEDED, in milliseconds. */
  readonly timeoutMs: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a unary method and resolves with its answer. Rejects with grpc-js's ServiceError as received, CANCELLED after
 * an abort; with the signal's reason, and without a call, when it is aborted already.
 */
export function ask<Request, Response>(
  client: object,
  method: UnaryMethod<Request, Response>,
  request: Request,
  { timeoutMs, signal }: CallPatience,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = (): void => call.cancel();
    const options = { deadline: Date.now() + timeoutMs };
    const call = method.call(client, request, new Metadata(), options, (error, response) => {
      signal?.removeEventListener("abort", cancel);
      if (error === null) resolve(response);
      else reject(error);
    });
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/**
 * Yields what a stream brings until it ends. Throws the stream's error as received; with an aborted signal, its reason.
 * Leaving the iteration, in whatever way, cancels the call.
 *
 * @param open begins the call; not called when the signal is aborted already
 */
export async function* follow<Response>(
  open: () => ClientReadableStream<Response>,
  signal: AbortSignal,
): AsyncGenerator<Response> {
  signal.throwIfAborted();
  const call = open();
  // A cancelled call still emits an error when nobody reads it any more; unhandled, it would end the process.
  call.on("error", () => {});
  const cancel = (): void => call.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for await (const message of call as AsyncIterable<Response>) yield message;
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
    call.cancel();
  }
}
