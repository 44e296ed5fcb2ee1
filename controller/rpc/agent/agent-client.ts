import { isIPv4, isIPv6, type Socket } from "node:net";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { Failure } from "../../../proto/failure.ts";
import { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";
import type * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import { ask, follow, type UnaryMethod } from "../../../proto/grpc/call.ts";
import { limits } from "../../../proto/limits.ts";
import { boardItemsFromWire } from "../../../proto/node/board-item.ts";
import type { ReportedOperation } from "../../../proto/operation/operation.ts";
import { operationFromWire } from "../../../proto/operation/operation-codec.ts";
import { specToWire } from "../../../proto/operation/spec-codec.ts";
import type { AgentError } from "../../agents/agent-error.ts";
import type { AgentAddress, AgentConnector, AgentPort, MeantAgent } from "../../agents/agent-port.ts";
import { devicesFromWire } from "../wire/devices-from-wire.ts";
import { checkedAgent, checkedFacts } from "../wire/registration-from-wire.ts";
import { required } from "../wire/text-from-wire.ts";
import { agentErrorOf, answeredByAnother, wrongAgent } from "./agent-error.ts";
import { sourceAddressOption, targetFromSource } from "./agent-resolver.ts";
import { type AgentTls, WrongAgent } from "./agent-tls.ts";
import { bindCalls } from "./bind-calls.ts";
import { ownSockets } from "./owned-sockets.ts";
import { openDiskReader } from "./read-disk.ts";

/** Timeouts of calls to agents, in milliseconds. */
export interface AgentPatience {
  /** For calls that the agent answers at once. */
  readonly callMs: number;
  /** For calls that take work: reading disks, stopping an operation. */
  readonly workMs: number;
  /** Silence on a connection before the agent is pinged. */
  readonly keepaliveMs: number;
  /** Wait for that ping before the connection counts as broken. */
  readonly keepaliveTimeoutMs: number;
}

const defaultPatience: AgentPatience = {
  callMs: 10_000,
  workMs: 30_000,
  keepaliveMs: 5_000,
  keepaliveTimeoutMs: 5_000,
};

/**
 * Reaches agents over gRPC. Every port is one channel of its own with one TCP connection, and is of no use any more
 * once that is broken: another one could lead to another agent.
 */
export function createAgentConnector(options: {
  /** Those of a plain connection; it is `tls` that secures it. */
  readonly credentials: ChannelCredentials;
  /** Absent: connections are plain, and nobody proves who he is. */
  readonly tls?: AgentTls | undefined;
  readonly patience?: Partial<AgentPatience>;
  /** The address of this machine to connect from to an agent's; undefined where the system should choose. */
  readonly sourceAddress?: (agentAddress: string) => string | undefined;
}): AgentConnector {
  const patience = { ...defaultPatience, ...options.patience };
  return {
    connect: (at, meant = {}) => connect(at, meant, options, patience, options.sourceAddress?.(at.address)),
  };
}

function connect(
  at: AgentAddress,
  meant: MeantAgent,
  { credentials, tls }: { readonly credentials: ChannelCredentials; readonly tls?: AgentTls | undefined },
  patience: AgentPatience,
  source: string | undefined,
): AgentPort {
  let wrong: WrongAgent | undefined;
  const secure = async (connection: Socket): Promise<Socket> => {
    try {
      return await (tls as AgentTls).secure(connection, meant);
    } catch (error) {
      if (error instanceof WrongAgent) wrong = error;
      throw error;
    }
  };
  const sockets = ownSockets(credentials, tls && secure);
  const bound = bindCalls(meant);
  const client = new AgentServiceClient(
    source === undefined ? targetOf(at) : targetFromSource(at.address, at.port),
    sockets.credentials,
    {
      ...channelOptions(patience),
      ...(source !== undefined && { [sourceAddressOption]: source }),
      interceptors: [bound.interceptor],
    },
  );
  const closed = new AbortController();
  const subjectOf = (call: string): string => `${call} to the agent at ${at.address}:${at.port}`;

  const until = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);

  /** The one place where it is decided whether what came back counts. */
  function assertMeant(name: string): void {
    if (bound.answeredByAnother()) throw answeredByAnother(subjectOf(name));
  }

  function errorOf(error: unknown, name: string, signal: AbortSignal): AgentError {
    if (bound.answeredByAnother()) return answeredByAnother(subjectOf(name), error);
    if (wrong !== undefined) return wrongAgent(subjectOf(name), wrong);
    return agentErrorOf(error, subjectOf(name), signal);
  }

  /** One call with one answer, converted. `signal` of the caller, or closing the port, cancels it. */
  async function call<Request, Response, Answer>(
    name: string,
    method: UnaryMethod<Request, Response>,
    request: Request,
    convert: (response: Response) => Answer,
    timeoutMs: number,
    caller: AbortSignal | undefined,
  ): Promise<Answer> {
    const signal = until(caller);
    try {
      const response = await ask(client, method, request, { timeoutMs, signal });
      assertMeant(name);
      return convert(response);
    } catch (error) {
      throw errorOf(error, name, signal);
    }
  }

  async function* watch(operationId: string, caller: AbortSignal | undefined): AsyncGenerator<ReportedOperation> {
    const signal = until(caller);
    try {
      for await (const { operation } of follow(() => client.watchOperation({ operationId }), signal)) {
        assertMeant("WatchOperation");
        yield operationFromWire(required("operation", operation));
      }
    } catch (error) {
      throw errorOf(error, "WatchOperation", signal);
    }
  }

  const theOperation = ({ operation }: { readonly operation?: wire.Operation | undefined }): ReportedOperation =>
    operationFromWire(required("operation", operation));
  const { callMs, workMs } = patience;

  return {
    getNode: (signal) =>
      call(
        "GetNode",
        client.getNode,
        {},
        ({ facts, agent }) => ({
          facts: checkedFacts(required("facts", facts)),
          agent: checkedAgent(required("agent", agent)),
        }),
        callMs,
        signal,
      ),
    reportBoard: (signal) =>
      call("ReportBoard", client.reportBoard, {}, ({ items }) => boardItemsFromWire(items), workMs, signal),
    listBlockDevices: (signal) =>
      call("ListBlockDevices", client.listBlockDevices, {}, ({ devices }) => devicesFromWire(devices), workMs, signal),
    startOperation: (operationId, spec, signal) => {
      const request = { operationId, spec: specToWire(spec) };
      return call("StartOperation", client.startOperation, request, theOperation, workMs, signal);
    },
    watchOperation: (operationId, signal) => watch(operationId, signal),
    cancelOperation: (operationId, signal) =>
      call("CancelOperation", client.cancelOperation, { operationId }, theOperation, workMs, signal),
    readDisk: (disk, caller) => {
      const signal = until(caller);
      return openDiskReader(disk, {
        open: () => client.readDisk(),
        signal,
        assertMeant: () => assertMeant("ReadDisk"),
        errorOf: (error) => (error instanceof Failure ? error : errorOf(error, "ReadDisk", signal)),
      });
    },
    reboot: (expectedBootId, signal) =>
      call("Reboot", client.reboot, { expectedBootId }, () => undefined, callMs, signal),
    retryTasks: (expectedBootId, signal) =>
      call("RetryTasks", client.retryTasks, { expectedBootId }, () => undefined, callMs, signal),
    close() {
      closed.abort();
      client.close();
      sockets.destroy();
    },
  };
}

/** Addresses are never looked up: a node is where it was seen. */
function targetOf({ address, port }: AgentAddress): string {
  if (isIPv4(address)) return `ipv4:${address}:${port}`;
  if (isIPv6(address)) return `ipv6:[${address}]:${port}`;
  return `dns:${address}:${port}`;
}

function channelOptions({ keepaliveMs, keepaliveTimeoutMs }: AgentPatience): ChannelOptions {
  return {
    // A node that lost its power closes no connection: without these, a stream from it would stay open forever.
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
    // A node that has just rebooted has the same address: neither its old connection nor its old backoff may be reused.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": limits.agents.answerBytes.most,
    // Callers decide what may be retried.
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
  };
}
