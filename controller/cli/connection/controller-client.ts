import {
  type CallOptions,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { ControllerServiceClient } from "../../../proto/gen/pallet/v1/controller.ts";
import { translateCallError } from "./controller-error.ts";

/**
 * Channel options for the client that `Effects.connect` makes: a controller that vanished is noticed within 30 s, and
 * the rollouts of a large rack, with every node in each, exceed gRPC's default limit of 4 MiB.
 */
export const controllerChannelOptions: ChannelOptions = {
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": 256 * 1024 * 1024,
};

/** Deadline of a request that the controller answers by itself. */
const answerTimeoutMs = 15_000;
/** Deadline of a request for which the controller asks nodes. */
const nodesTimeoutMs = 60_000;

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Sends a request and resolves with its answer. Rejects with a ControllerError, or with the signal's reason. */
export type Ask<Request, Response> = (request: Request, signal: AbortSignal) => Promise<Response>;
/** Sends a request and yields its answers. Throws a ControllerError, or the signal's reason; leaving it ends the call. */
export type Follow<Request, Response> = (request: Request, signal: AbortSignal) => AsyncIterable<Response>;

async function* readCall<Response>(
  call: ClientReadableStream<Response> | ClientDuplexStream<never, Response>,
  signal: AbortSignal,
  translate: (error: unknown) => Error,
): AsyncGenerator<Response> {
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    signal.throwIfAborted();
    for await (const message of call) yield message as Response;
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw translate(error);
  } finally {
    signal.removeEventListener("abort", cancel);
    // Cancelling makes the call emit one more error, "cancelled", which nobody waits for any more.
    call.on("error", () => {});
    call.cancel();
  }
}

/** Writes everything from the source, no faster than the peer accepts it, until the call or the source ends. */
async function writeCall<Request, Response>(
  call: ClientDuplexStream<Request, Response>,
  source: AsyncIterable<Request>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of source) {
    if (signal.aborted) return;
    if (call.write(message)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        call.off("drain", go);
        signal.removeEventListener("abort", go);
        resolve();
      };
      call.on("drain", go);
      signal.addEventListener("abort", go, { once: true });
    });
  }
  call.end();
}

/**
 * The controller's service with promises and async iterables instead of callbacks and event emitters, with a deadline
 * for every request that has one answer, and with errors that say what to do.
 *
 * @param raw the generated client; `close` closes it
 * @param target where it connects to, for messages
 */
export function createControllerClient(raw: ControllerServiceClient, target: string) {
  const ask =
    <Request, Response>(
      name: string,
      method: UnaryMethod<Request, Response>,
      timeoutMs = answerTimeoutMs,
    ): Ask<Request, Response> =>
    (request, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const cancel = () => call.cancel();
        const options = { deadline: Date.now() + timeoutMs };
        const call = method.call(raw, request, new Metadata(), options, (error, response) => {
          signal.removeEventListener("abort", cancel);
          if (error === null) resolve(response);
          else reject(signal.aborted ? signal.reason : translateCallError(error, target, name));
        });
        signal.addEventListener("abort", cancel, { once: true });
      });

  const follow =
    <Request, Response>(
      name: string,
      method: (request: Request) => ClientReadableStream<Response>,
    ): Follow<Request, Response> =>
    (request, signal) =>
      readCall(method.call(raw, request), signal, (error) => translateCallError(error, target, name));

  const upload = <Request, Response>(
    name: string,
    open: () => ClientDuplexStream<Request, Response>,
  ): ((requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncGenerator<Response>) =>
    async function* (requests, signal) {
      const call = open.call(raw);
      const ended = new AbortController();
      let sourceError: unknown;
      const writing = writeCall(call, requests, ended.signal).catch((error: unknown) => {
        sourceError = error;
        call.cancel();
      });
      try {
        yield* readCall(call as ClientReadableStream<Response>, signal, (error) =>
          sourceError instanceof Error ? sourceError : translateCallError(error, target, name),
        );
      } finally {
        ended.abort();
        await writing;
      }
    };

  return {
    target,
    getStatus: ask("GetStatus", raw.getStatus),
    listNodes: ask("ListNodes", raw.listNodes),
    getNode: ask("GetNode", raw.getNode),
    renameNode: ask("RenameNode", raw.renameNode),
    acceptNodes: ask("AcceptNodes", raw.acceptNodes),
    forgetNode: ask("ForgetNode", raw.forgetNode),
    setBootTarget: ask("SetBootTarget", raw.setBootTarget),
    listNodeDisks: ask("ListNodeDisks", raw.listNodeDisks, nodesTimeoutMs),
    runNodeOperation: follow("RunNodeOperation", raw.runNodeOperation),
    rebootNode: ask("RebootNode", raw.rebootNode, nodesTimeoutMs),
    listImages: ask("ListImages", raw.listImages),
    getImage: ask("GetImage", raw.getImage),
    addImage: upload("AddImage", raw.addImage),
    deriveImage: upload("DeriveImage", raw.deriveImage),
    removeImage: ask("RemoveImage", raw.removeImage),
    planRollout: ask("PlanRollout", raw.planRollout, nodesTimeoutMs),
    startRollout: ask("StartRollout", raw.startRollout, nodesTimeoutMs),
    watchRollout: follow("WatchRollout", raw.watchRollout),
    listRollouts: ask("ListRollouts", raw.listRollouts),
    cancelRollout: ask("CancelRollout", raw.cancelRollout, nodesTimeoutMs),
    streamEvents: follow("StreamEvents", raw.streamEvents),
    streamNodeLogs: follow("StreamNodeLogs", raw.streamNodeLogs),
    close: () => raw.close(),
  };
}

/** The controller as commands see it. */
export type ControllerClient = ReturnType<typeof createControllerClient>;
