import { once } from "node:events";
import { type handleUnaryCall, type ServerWritableStream, type ServiceError, status } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { cutText } from "../../proto/cut-text.ts";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { blockDeviceToWire } from "../../proto/disk/block-device-codec.ts";
import type { MeantDisk } from "../../proto/disk/meant-disk.ts";
import { Failure } from "../../proto/failure.ts";
import type {
  AgentServiceServer,
  WatchOperationRequest,
  WatchOperationResponse,
} from "../../proto/gen/pallet/v1/agent.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { BoardItem } from "../../proto/node/board-item.ts";
import { agentInfoToWire, factsToWire } from "../../proto/node/node-codec.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { OperationId } from "../../proto/operation/operation.ts";
import { operationToWire } from "../../proto/operation/operation-codec.ts";
import { parseOperationId, parseSpec } from "../../proto/operation/parse-spec.ts";
import type { Operations } from "../operations/operations.ts";
import type { HeldDisk } from "../read/hold-disk.ts";
import { StatusError, toServiceError } from "./status.ts";
import { streamDisk } from "./stream-disk.ts";

/** What the door delegates to. */
export interface AgentServiceParts {
  readonly readNodeFacts: () => Promise<NodeFacts>;
  readonly reportBoard: (signal: AbortSignal) => Promise<readonly BoardItem[]>;
  readonly readBlockDevices: (signal: AbortSignal) => Promise<readonly BlockDevice[]>;
  readonly agentInfo: () => Promise<AgentInfo>;
  readonly operations: Operations;
  /** Takes hold of a disk to read it; see holdDisk. */
  readonly holdDisk: (disk: MeantDisk, signal: AbortSignal) => Promise<HeldDisk>;
  /**
   * Finds a way to reboot (rejects if there is none) and returns the function that reboots and logs its failure.
   */
  readonly prepareReboot: () => Promise<() => Promise<void>>;
  /** Has the tasks of the installed system go on from the one that has failed; undefined in the netboot role. */
  readonly retryTasks: (() => Promise<void>) | undefined;
  readonly log: Logger;
}

/** How long the answer to Reboot has to get out before the node goes down. */
const rebootDelayMs = 200;

/** The door of pallet.v1.AgentService: validates, converts, delegates. */
export function createAgentService(parts: AgentServiceParts): AgentServiceServer {
  const { operations, log } = parts;

  const refusal = (method: string, error: unknown): ServiceError => {
    const answer = toServiceError(error);
    // Only a bug needs its stack in the log; a refusal's message says it all.
    if (answer.code === status.INTERNAL) log.error({ err: error, method }, "a request failed");
    else log.info({ method, status: status[answer.code], reason: answer.details }, "a request was refused");
    return answer;
  };

  const unary =
    <Request, Response>(
      handle: (request: Request, signal: AbortSignal) => Promise<Response>,
    ): handleUnaryCall<Request, Response> =>
    (call, callback) => {
      const abort = new AbortController();
      call.on("cancelled", () => abort.abort());
      handle(call.request, abort.signal).then(
        (response) => callback(null, response),
        (error: unknown) => {
          callback(refusal(call.getPath(), error));
        },
      );
    };

  /** Throws unless the node is in the boot that the caller means. */
  const requireBoot = async (expected: string, doing: string): Promise<void> => {
    const { bootId } = await parts.readNodeFacts();
    if (expected === bootId) return;
    const message = `the node has rebooted since the caller last asked: ask it again before ${doing}`;
    throw refused(new Failure("invalid", message, { expected: cutText(expected, 80), found: bootId }));
  };

  return {
    getNode: unary(async () => {
      const [facts, agent] = await Promise.all([parts.readNodeFacts(), parts.agentInfo()]);
      return { facts: factsToWire(facts), agent: agentInfoToWire(agent) };
    }),

    reportBoard: unary(async (_request, signal) => ({
      items: (await parts.reportBoard(signal)).map((item) => ({ ...item })),
    })),

    listBlockDevices: unary(async (_request, signal) => ({
      devices: (await parts.readBlockDevices(signal)).map(blockDeviceToWire),
    })),

    startOperation: unary(async (request) => {
      const id = parseOperationId(request.operationId);
      const spec = parseSpec(request.spec);
      const result = await operations.start(id, spec);
      if (result.kind === "id-taken") {
        const message = `operation ${id} already exists with another spec (${result.operation.spec.kind}): use a new id`;
        throw new StatusError(status.ALREADY_EXISTS, new Failure("invalid", message));
      }
      return { operation: operationToWire(result.operation) };
    }),

    watchOperation: (call) => {
      streamOperation(operations, call).catch((error: unknown) => {
        call.emit("error", refusal(call.getPath(), error));
      });
    },

    cancelOperation: unary(async (request) => {
      const id = parseOperationId(request.operationId);
      const operation = await operations.cancel(id);
      if (operation === undefined) throw unknownOperation(id);
      return { operation: operationToWire(operation) };
    }),

    listOperations: unary(async () => ({ operations: operations.list().map(operationToWire) })),

    readDisk: (call) => {
      streamDisk(call, parts.holdDisk).catch((error: unknown) => {
        call.emit("error", refusal(call.getPath(), error));
      });
    },

    reboot: unary(async (request) => {
      await requireBoot(request.expectedBootId, "rebooting it");
      const reboot = await parts.prepareReboot();
      const writer = operations.runningChange();
      if (writer !== undefined) {
        throw refused(
          new Failure("device-busy", `operation ${writer.id} (${writer.spec.kind}) is running: wait, or cancel it`),
        );
      }
      const resume = operations.refuse("the node is about to reboot");
      setTimeout(() => reboot().catch(resume), rebootDelayMs);
      return {};
    }),

    retryTasks: unary(async (request) => {
      await requireBoot(request.expectedBootId, "retrying its tasks");
      const { retryTasks } = parts;
      if (retryTasks === undefined)
        throw refused(
          new Failure("unsupported", "the agent in RAM has no tasks: they are those of an installed system"),
        );
      await retryTasks().catch((error: unknown) => {
        throw error instanceof Failure ? refused(error) : error;
      });
      return {};
    }),
  };
}

async function streamOperation(
  operations: Operations,
  call: ServerWritableStream<WatchOperationRequest, WatchOperationResponse>,
): Promise<void> {
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  const id = parseOperationId(call.request.operationId);
  const snapshots = operations.watch(id, abort.signal);
  if (snapshots === undefined) throw unknownOperation(id);
  try {
    for await (const operation of snapshots) {
      // A caller that reads slowly gets fewer snapshots instead of a growing queue.
      if (!call.write({ operation: operationToWire(operation) })) await once(call, "drain", { signal: abort.signal });
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  call.end();
}

function unknownOperation(id: OperationId): StatusError {
  const message = `this agent does not know operation ${id}: it was started on another instance, or ended long ago`;
  return new StatusError(status.NOT_FOUND, new Failure("invalid", message));
}

function refused(failure: Failure): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, failure);
}
