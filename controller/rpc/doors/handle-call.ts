import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import type { PeerVerdict } from "../../../proto/identity/judge-peer.ts";
import { actFor } from "../../callers/author.ts";
import type { Caller } from "../../callers/caller.ts";
import { invalid, unavailable } from "../../refusal/refusal.ts";
import type { Uploads } from "../../uploads/uploads.ts";
import { OversizedRequest } from "./frugal-requests.ts";
import { addressOfPeer } from "./peer.ts";
import { statusOf } from "./status.ts";

/** How much later than the end of the requests a cancellation may be told; measured: a few turns of the event loop. */
const cancellationDelayMs = 100;

/** What a door knows about the call besides the request. */
export interface CallContext {
  /** Aborts when the caller cancels or goes away, when the deadline passes, and when the controller shuts down. */
  readonly signal: AbortSignal;
  /** IP address of the caller; absent over the unix socket. */
  readonly address?: string;
  /** Who calls. What the answer records is in his name. */
  readonly caller: Caller;
  /** What the caller's certificate proves. */
  readonly peer: PeerVerdict;
}

/** What every call needs of the server that it arrived at. */
export interface CallHost {
  /** Aborts when the controller shuts down. */
  readonly closing: AbortSignal;
  /** What calls are doing. A call may be over for its caller while its work still tidies up. */
  readonly ongoing: Set<Promise<void>>;
  /** Who makes a call, from what its connection has proved. */
  readonly callerOf: (call: Pick<Call, "getPeer" | "getAuthContext">) => Caller;
  /** Judges the certificate that the caller presented; absent where nobody presents one. */
  readonly peerOf?: (call: Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext">) => PeerVerdict;
  /** The connections that bring files to calls; absent where there are none. */
  readonly uploads?: Pick<Uploads, "claim">;
  /** Notified of calls that end with a bug rather than a refusal. */
  readonly log: { error(details: object, message: string): void };
}

interface Call extends Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext"> {
  readonly cancelled: boolean;
  getPeer(): string;
  getPath(): string;
  on(event: "cancelled", listener: () => void): unknown;
}

/** Makes a unary RPC from a function from request to answer. */
export function handleUnary<Request, Response>(
  host: CallHost,
  answer: (request: Request, context: CallContext) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const { context, end } = openContext(host, call);
    const run = async (): Promise<Response> => {
      const { request } = call;
      if (request instanceof OversizedRequest) throw invalid(request.message);
      // A refusal that comes later must not hold what it refuses.
      call.request = undefined as Request;
      return inNameOf(context, () => answer(request, context));
    };
    track(
      host,
      run()
        .finally(end)
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(refusalOf(host, call, error)),
        ),
    );
  };
}

/** A server-streaming RPC out of a function from request to answers, taken no faster than the caller reads them. */
export function handleServerStream<Request, Response>(
  host: CallHost,
  answers: (request: Request, context: CallContext) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const { context, end } = openContext(host, call);
    const work = inNameOf(context, () => pump(host, call, answers(call.request, context), context));
    track(host, work.finally(end));
  };
}

/** A RPC that streams both ways. Requests are taken from the network no faster than `answers` iterates over them. */
export function handleBidiStream<Request, Response>(
  host: CallHost,
  answers: (requests: AsyncIterable<Request>, context: CallContext) => AsyncIterable<Response>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const { context, end } = openContext(host, call);
    const work = inNameOf(context, () => pump(host, call, answers(requestsOf(call, context.signal), context), context));
    track(host, work.finally(end));
  };
}

/**
 * The requests of a call. grpc-js first ends the requests of a caller who cancels, like those of one who is done, and
 * tells of the cancellation a moment later (Node's HTTP/2 emits "end" before "close"): what was cut off must not look
 * complete, so the end waits for that moment.
 */
async function* requestsOf<Request>(
  call: ServerDuplexStream<Request, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Request> {
  // Answers and the status must still go out when nobody reads the requests to their end.
  yield* call.iterator({ destroyOnReturn: false });
  await delay(cancellationDelayMs, undefined, { signal });
}

async function pump<Response>(
  host: CallHost,
  call: ServerWritableStream<unknown, Response> | ServerDuplexStream<unknown, Response>,
  answers: AsyncIterable<Response>,
  { signal }: CallContext,
): Promise<void> {
  try {
    for await (const answer of answers) {
      if (signal.aborted) break;
      if (!call.write(answer)) await once(call, "drain", { signal });
    }
    // A stream that ends with OK has said everything; one that the shutdown cuts off has not.
    if (host.closing.aborted && !call.cancelled) throw closingRefusal();
    call.end();
  } catch (error) {
    if (call.cancelled) return;
    call.emit("error", refusalOf(host, call, host.closing.aborted ? closingRefusal() : error));
  }
}

function track({ ongoing }: CallHost, work: Promise<void>): void {
  ongoing.add(work);
  void work.finally(() => ongoing.delete(work));
}

function closingRefusal(): Error {
  return unavailable("the controller is shutting down; try again when it is back");
}

function openContext(host: CallHost, call: Call): { readonly context: CallContext; readonly end: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  call.on("cancelled", abort);
  host.closing.addEventListener("abort", abort);
  if (call.cancelled || host.closing.aborted) abort();
  const address = addressOfPeer(call.getPeer());
  return {
    context: {
      signal: controller.signal,
      caller: host.callerOf(call),
      ...(address !== undefined && { address }),
      peer: host.peerOf?.(call) ?? { kind: "nobody" },
    },
    end: () => host.closing.removeEventListener("abort", abort),
  };
}

function inNameOf<Result>({ caller: by, address }: CallContext, work: () => Result): Result {
  return actFor({ by, ...(address !== undefined && { from: address }) }, work);
}

function refusalOf(host: CallHost, call: Call, error: unknown): ReturnType<typeof statusOf> {
  const refusal = statusOf(error);
  if (refusal.code === status.INTERNAL) host.log.error({ err: error, rpc: call.getPath() }, "a call failed");
  return refusal;
}
