import type { ChannelOptions, ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import type { ControllerServiceClient } from "../../../proto/gen/pallet/v1/controller.ts";
import { ask, follow, type UnaryMethod } from "../../../proto/grpc/call.ts";
import { untilAborted } from "../../images/import/until-aborted.ts";
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

/** Sends a request and resolves with its answer. Rejects with a ControllerError, or with the signal's reason. */
export type Ask<Request, Response> = (request: Request, signal: AbortSignal) => Promise<Response>;
/**
 * Sends a request and yields its answers. Throws a ControllerError, or the signal's reason; leaving it ends the call.
 */
export type Follow<Request, Response> = (request: Request, signal: AbortSignal) => AsyncIterable<Response>;

/**
 * Writes everything from the source, no faster than the peer accepts it, until the call or the source ends. A source that
 * is silent when the call ends is left alone: whoever opened it closes it.
 */
async function writeCall<Request, Response>(
  call: ClientDuplexStream<Request, Response>,
  source: AsyncIterable<Request>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const message of untilAborted(source, signal)) {
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
  } catch (error) {
    // Not ended: what was sent is not all of it.
    if (error === signal.reason) return;
    throw error;
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
  const unary =
    <Request, Response>(
      name: string,
      method: UnaryMethod<Request, Response>,
      timeoutMs = answerTimeoutMs,
    ): Ask<Request, Response> =>
    async (request, signal) => {
      try {
        return await ask(raw, method, request, { timeoutMs, signal });
      } catch (error) {
        signal.throwIfAborted();
        throw translateCallError(error, target, name);
      }
    };

  async function* read<Response>(
    name: string,
    open: () => ClientReadableStream<Response>,
    signal: AbortSignal,
  ): AsyncGenerator<Response> {
    try {
      yield* follow(open, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw translateCallError(error, target, name);
    }
  }

  const stream =
    <Request, Response>(
      name: string,
      method: (request: Request) => ClientReadableStream<Response>,
    ): Follow<Request, Response> =>
    (request, signal) =>
      read(name, () => method.call(raw, request), signal);

  const upload = <Request, Response>(
    name: string,
    open: () => ClientDuplexStream<Request, Response>,
  ): ((requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncGenerator<Response>) =>
    async function* (requests, signal) {
      signal.throwIfAborted();
      const call = open.call(raw);
      const ended = new AbortController();
      let sourceError: unknown;
      const writing = writeCall(call, requests, ended.signal).catch((error: unknown) => {
        sourceError = error;
        call.cancel();
      });
      try {
        yield* read(name, () => call as ClientReadableStream<Response>, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw sourceError instanceof Error ? sourceError : error;
      } finally {
        ended.abort();
        await writing;
      }
    };

  return {
    target,
    getStatus: unary("GetStatus", raw.getStatus),
    listNodes: unary("ListNodes", raw.listNodes),
    selectNodes: unary("SelectNodes", raw.selectNodes),
    getNode: unary("GetNode", raw.getNode),
    renameNode: unary("RenameNode", raw.renameNode),
    acceptNodes: unary("AcceptNodes", raw.acceptNodes),
    labelNodes: unary("LabelNodes", raw.labelNodes),
    forgetNode: unary("ForgetNode", raw.forgetNode),
    setBootTarget: unary("SetBootTarget", raw.setBootTarget),
    getBoardReport: unary("GetBoardReport", raw.getBoardReport, nodesTimeoutMs),
    listNodeDisks: unary("ListNodeDisks", raw.listNodeDisks, nodesTimeoutMs),
    runNodeOperation: stream("RunNodeOperation", raw.runNodeOperation),
    rebootNode: unary("RebootNode", raw.rebootNode, nodesTimeoutMs),
    retryTasks: unary("RetryTasks", raw.retryTasks, nodesTimeoutMs),
    listImages: unary("ListImages", raw.listImages),
    getImage: unary("GetImage", raw.getImage),
    addImage: upload("AddImage", raw.addImage),
    deriveImage: upload("DeriveImage", raw.deriveImage),
    captureImage: stream("CaptureImage", raw.captureImage),
    removeImage: unary("RemoveImage", raw.removeImage),
    listRoots: unary("ListRoots", raw.listRoots),
    removeRoot: unary("RemoveRoot", raw.removeRoot, nodesTimeoutMs),
    listProfiles: unary("ListProfiles", raw.listProfiles),
    checkProfiles: unary("CheckProfiles", raw.checkProfiles, nodesTimeoutMs),
    renderNodeConfig: unary("RenderNodeConfig", raw.renderNodeConfig),
    planRollout: unary("PlanRollout", raw.planRollout, nodesTimeoutMs),
    startRollout: unary("StartRollout", raw.startRollout, nodesTimeoutMs),
    watchRollout: stream("WatchRollout", raw.watchRollout),
    listRollouts: unary("ListRollouts", raw.listRollouts),
    cancelRollout: unary("CancelRollout", raw.cancelRollout, nodesTimeoutMs),
    streamEvents: stream("StreamEvents", raw.streamEvents),
    streamNodeLogs: stream("StreamNodeLogs", raw.streamNodeLogs),
    addOperator: unary("AddOperator", raw.addOperator),
    listOperators: unary("ListOperators", raw.listOperators),
    revokeOperator: unary("RevokeOperator", raw.revokeOperator),
    getAuthorities: unary("GetAuthorities", raw.getAuthorities),
    rotateAuthority: unary("RotateAuthority", raw.rotateAuthority),
    retireAuthority: unary("RetireAuthority", raw.retireAuthority),
    takeBackup: stream("TakeBackup", raw.takeBackup),
    reportBackup: unary("ReportBackup", raw.reportBackup),
    close: () => raw.close(),
  };
}

/** The controller as commands see it. */
export type ControllerClient = ReturnType<typeof createControllerClient>;
