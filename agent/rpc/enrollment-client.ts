import { type ServiceError, status } from "@grpc/grpc-js";
import { durationFromWire } from "../../proto/duration.ts";
import { Failure } from "../../proto/failure.ts";
import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import type { EnrollmentServiceClient } from "../../proto/gen/pallet/v1/enrollment.ts";
import { ask } from "../../proto/grpc/call.ts";
import { isServiceError } from "../../proto/grpc/failure-metadata.ts";
import { parseEndpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { agentInfoToWire, factsToWire } from "../../proto/node/node-codec.ts";
import { ForeignControllerError } from "../identity/foreign-controller-error.ts";
import type { LogReceiver, LogReportAnswer } from "../log/log-report.ts";
import type { ControllerList } from "../registration/controller-list.ts";
import type { Enrollment } from "../registration/enrollment.ts";
import { type ChannelOfAgent, connectTo, explainCallError } from "./channel.ts";
import { logRecordToWire } from "./log-to-wire.ts";

/** How long a call may take before it counts as failed, in milliseconds. */
const callTimeoutMs = 10_000;
/** What an answer without an interval means, in milliseconds. */
const defaultIntervalMs = 10_000;

/** The refusals of ReportLogs that say more than "try again". */
const logAnswers = new Map<status, LogReportAnswer>([
  [status.NOT_FOUND, "unknown"],
  [status.INVALID_ARGUMENT, "refused"],
  [status.UNIMPLEMENTED, "unsupported"],
]);

/** What the client needs besides the controller's addresses. */
export interface EnrollmentClientParts {
  readonly controllers: Pick<ControllerList, "all" | "current">;
  /** How to connect now; each identity of this agent has one of its own. Undefined while it has none. */
  readonly channel: () => ChannelOfAgent | undefined;
  /** Gets the authorities (DER) that the controller names in an answer. */
  readonly learn?: (authorities: readonly Uint8Array[]) => Promise<void>;
  /** Told of answers, and of answers by somebody else or to nobody known: the certificate is of no use then. */
  readonly heard?: (answer: "accepted" | "refused") => void;
}

/**
 * The controller's EnrollmentService, reached over gRPC at whatever its current address is. Pings the connection, so
 * that a dead link is noticed. Calls reject when there is no current address, with a ForeignControllerError when
 * somebody else answers there. When the agent has another identity, the next calls go over another connection.
 */
export function createEnrollmentClient(parts: EnrollmentClientParts): Enrollment & LogReceiver & { close(): void } {
  const { controllers } = parts;
  const clients = new Map<string, { readonly channel: ChannelOfAgent; readonly client: EnrollmentServiceClient }>();
  const stopUsing = (target: string): void => {
    const client = clients.get(target)?.client;
    clients.delete(target);
    // What is being asked over it may still be answered.
    if (client !== undefined) setTimeout(() => client.close(), callTimeoutMs).unref();
  };
  /** The client for the current address; those for addresses that are not the controller's any more are closed. */
  const current = (): EnrollmentServiceClient => {
    const endpoint = controllers.current();
    if (endpoint === undefined) throw new Failure("invalid", "this agent knows no address of a controller");
    const channel = parts.channel();
    if (channel === undefined) throw new Failure("invalid", "this agent has no certificate");
    const target = renderEndpoint(endpoint);
    const existing = clients.get(target);
    if (existing?.channel === channel) return existing.client;
    const wanted = new Set(controllers.all().map(renderEndpoint));
    for (const [known, { channel: usual }] of clients) if (usual !== channel || !wanted.has(known)) stopUsing(known);
    const client = connectTo(target, channel);
    clients.set(target, { channel, client });
    return client;
  };

  /** Tells what an answer, or its absence, says of this agent's certificate. */
  const heedful = async <T extends object>(calling: () => Promise<T>): Promise<T> => {
    try {
      const answer = await calling();
      parts.heard?.("accepted");
      return answer;
    } catch (error) {
      const explained = explainCallError(error, controllers.current());
      if (explained instanceof ForeignControllerError || isRefusal(explained)) parts.heard?.("refused");
      throw explained;
    }
  };

  const patience = (signal: AbortSignal) => ({ timeoutMs: callTimeoutMs, signal });

  return {
    async register(bootMac, facts, agent, signal) {
      const request = { bootMac, facts: factsToWire(facts), agent: agentInfoToWire(agent) };
      const response = await heedful(async () => {
        const client = current();
        return await ask(client, client.register, request, patience(signal));
      });
      await parts.learn?.(response.caCertificates);
      return {
        name: response.name,
        heartbeatIntervalMs: intervalOf(response.heartbeatInterval),
        controllers: response.controllers.map((text) => parseEndpoint(text)).filter((each) => each !== undefined),
      };
    },
    async heartbeat(bootMac, instanceId, temperatureCelsius, signal) {
      const request = { bootMac, instanceId, temperatureCelsius };
      try {
        const response = await heedful(async () => {
          const client = current();
          return await ask(client, client.heartbeat, request, patience(signal));
        });
        await parts.learn?.(response.caCertificates);
        return intervalOf(response.heartbeatInterval);
      } catch (error) {
        if ((error as ServiceError).code === status.NOT_FOUND) return "unknown";
        throw error;
      }
    },
    async reportLogs({ bootMac, instanceId, records, droppedCount, nowMs }, signal) {
      const request = {
        bootMac,
        instanceId,
        records: records.map((record) => logRecordToWire(record, nowMs)),
        droppedCount: BigInt(droppedCount),
      };
      try {
        const client = current();
        await ask(client, client.reportLogs, request, patience(signal));
        return "taken";
      } catch (error) {
        const answer = logAnswers.get((error as ServiceError).code);
        if (answer === undefined) throw error;
        return answer;
      }
    },
    close() {
      for (const { client } of clients.values()) client.close();
    },
  };
}

/** Whether the controller answered that it does not take this agent for who it is. */
function isRefusal(error: unknown): boolean {
  return isServiceError(error) && (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED);
}

/** Never so short that a misconfigured controller makes every node hammer it. */
function intervalOf(duration: Duration | undefined): number {
  return Math.max((duration && durationFromWire(duration)) || defaultIntervalMs, 100);
}
