import { isIPv4, isIPv6 } from "node:net";
import type {
  CallOptions,
  ChannelCredentials,
  ChannelOptions,
  ClientReadableStream,
  ClientUnaryCall,
  ServiceError,
} from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import {
  AgentServiceClient,
  type CancelOperationResponse,
  type GetNodeResponse,
  type ListBlockDevicesResponse,
  type RebootResponse,
  type StartOperationResponse,
  type WatchOperationResponse,
} from "../../../proto/gen/pallet/v1/agent.ts";
import type { AgentAddress, AgentConnector, AgentPort } from "../../agents/agent-port.ts";
import type { AgentOperation } from "../../reimage/agent-operation.ts";
import { blockDeviceFromWire } from "../wire/block-device-from-wire.ts";
import { operationFromWire } from "../wire/operation-from-wire.ts";
import { operationSpecToWire } from "../wire/operation-to-wire.ts";
import { agentFromWire, factsFromWire } from "../wire/registration-from-wire.ts";
import { required } from "../wire/text-from-wire.ts";
import { agentErrorOf } from "./agent-error.ts";
import { sourceAddressOption, targetFromSource } from "./agent-resolver.ts";
import { ownSockets } from "./owned-sockets.ts";

/** How patient calls to agents are, in milliseconds. */
export interface AgentPatience {
  /** For an answer to a call that the agent answers at once. */
  readonly callMs: number;
  /** For an answer that takes work: reading disks, stopping an operation. */
  readonly workMs: number;
  /** Without any sign of life on a connection, until the agent is asked for one. */
  readonly keepaliveMs: number;
  /** For that sign of life, until the connection counts as broken. */
  readonly keepaliveTimeoutMs: number;
}

type Done<Response> = (error: ServiceError | null, response: Response) => void;

const defaultPatience: AgentPatience = {
  callMs: 10_000,
  workMs: 30_000,
  keepaliveMs: 5_000,
  keepaliveTimeoutMs: 5_000,
};

/** Reaches agents over gRPC. Every connection is one channel of its own, closed with its port. */
export function createAgentConnector(options: {
  readonly credentials: ChannelCredentials;
  readonly patience?: Partial<AgentPatience>;
  /** The address of this machine to connect from to an agent's; undefined where the system shall choose. */
  readonly sourceAddress?: (agentAddress: string) => string | undefined;
}): AgentConnector {
  const patience = { ...defaultPatience, ...options.patience };
  return {
    connect: (at) => connect(at, options.credentials, patience, options.sourceAddress?.(at.address)),
  };
}

function connect(
  at: AgentAddress,
  credentials: ChannelCredentials,
  patience: AgentPatience,
  source: string | undefined,
): AgentPort {
  const sockets = ownSockets(credentials);
  const client = new AgentServiceClient(
    source === undefined ? targetOf(at) : targetFromSource(at.address, at.port),
    sockets.credentials,
    { ...channelOptions(patience), ...(source !== undefined && { [sourceAddressOption]: source }) },
  );
  const closed = new AbortController();
  const subjectOf = (call: string): string => `${call} to the agent at ${at.address}:${at.port}`;

  /** One call with one answer, converted. `signal` of the caller, or closing the port, cancels it. */
  function ask<Response, Answer>(
    name: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    start: (options: Partial<CallOptions>, done: Done<Response>) => ClientUnaryCall,
    convert: (response: Response) => Answer,
  ): Promise<Answer> {
    const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(agentErrorOf(error, subjectOf(name), either));
      if (either.aborted) return fail(either.reason);
      const cancel = (): void => call.cancel();
      const call = start({ deadline: Date.now() + timeoutMs }, (error, response) => {
        either.removeEventListener("abort", cancel);
        if (error !== null) return fail(error);
        try {
          resolve(convert(response));
        } catch (malformed) {
          fail(malformed);
        }
      });
      either.addEventListener("abort", cancel, { once: true });
    });
  }

  async function* watch(operationId: string, signal: AbortSignal | undefined): AsyncGenerator<AgentOperation> {
    const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
    let stream: ClientReadableStream<WatchOperationResponse> | undefined;
    const cancel = (): void => stream?.cancel();
    try {
      either.throwIfAborted();
      stream = client.watchOperation({ operationId });
      // A cancelled stream reports an error even after nobody reads it any more; unheard it would end the process.
      stream.on("error", () => {});
      either.addEventListener("abort", cancel, { once: true });
      for await (const { operation } of stream as AsyncIterable<WatchOperationResponse>) {
        yield operationFromWire(required("operation", operation));
      }
    } catch (error) {
      throw agentErrorOf(error, subjectOf("WatchOperation"), either);
    } finally {
      either.removeEventListener("abort", cancel);
      cancel();
    }
  }

  return {
    getNode: (signal) =>
      ask(
        "GetNode",
        patience.callMs,
        signal,
        (options, done: Done<GetNodeResponse>) => client.getNode({}, new Metadata(), options, done),
        ({ facts, agent }) => ({
          facts: factsFromWire(required("facts", facts)),
          agent: agentFromWire(required("agent", agent)),
        }),
      ),
    listBlockDevices: (signal) =>
      ask(
        "ListBlockDevices",
        patience.workMs,
        signal,
        (options, done: Done<ListBlockDevicesResponse>) => client.listBlockDevices({}, new Metadata(), options, done),
        ({ devices }) => devices.map(blockDeviceFromWire),
      ),
    startOperation: (operationId, spec, signal) => {
      const request = { operationId, spec: operationSpecToWire(spec) };
      return ask(
        "StartOperation",
        patience.workMs,
        signal,
        (options, done: Done<StartOperationResponse>) => client.startOperation(request, new Metadata(), options, done),
        ({ operation }) => operationFromWire(required("operation", operation)),
      );
    },
    watchOperation: (operationId, signal) => watch(operationId, signal),
    cancelOperation: (operationId, signal) =>
      ask(
        "CancelOperation",
        patience.workMs,
        signal,
        (options, done: Done<CancelOperationResponse>) =>
          client.cancelOperation({ operationId }, new Metadata(), options, done),
        ({ operation }) => operationFromWire(required("operation", operation)),
      ),
    reboot: (expectedBootId, signal) =>
      ask(
        "Reboot",
        patience.callMs,
        signal,
        (options, done: Done<RebootResponse>) => client.reboot({ expectedBootId }, new Metadata(), options, done),
        () => undefined,
      ),
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
    // A node that lost its power closes no connection: without these, a stream from it would stay open for ever.
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
    // A node that has just rebooted has the same address: neither its old connection nor its old backoff may be reused.
    "grpc.use_local_subchannel_pool": 1,
    // Callers decide what may be repeated.
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
  };
}
