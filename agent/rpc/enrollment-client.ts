import { type ChannelCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { durationFromWire } from "../../proto/duration.ts";
import { Failure } from "../../proto/failure.ts";
import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import { EnrollmentServiceClient } from "../../proto/gen/pallet/v1/enrollment.ts";
import { ask } from "../../proto/grpc/call.ts";
import { parseEndpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { agentInfoToWire, factsToWire } from "../../proto/node/node-codec.ts";
import type { LogReceiver, LogReportAnswer } from "../log/log-report.ts";
import type { ControllerList } from "../registration/controller-list.ts";
import type { Enrollment } from "../registration/enrollment.ts";
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

/**
 * The controller's EnrollmentService, reached over gRPC at whatever its current address is. Pings the connection, so
 * that a dead link is noticed. Calls reject when there is no current address.
 */
export function createEnrollmentClient(
  controllers: Pick<ControllerList, "all" | "current">,
  credentials: ChannelCredentials,
): Enrollment & LogReceiver & { close(): void } {
  const clients = new Map<string, EnrollmentServiceClient>();
  /** The client for the current address; those for addresses that are not the controller's any more are closed. */
  const current = (): EnrollmentServiceClient => {
    const endpoint = controllers.current();
    if (endpoint === undefined) throw new Failure("invalid", "this agent knows no address of a controller");
    const target = renderEndpoint(endpoint);
    const existing = clients.get(target);
    if (existing !== undefined) return existing;
    const wanted = new Set(controllers.all().map(renderEndpoint));
    for (const [known, client] of clients) {
      if (wanted.has(known)) continue;
      clients.delete(known);
      client.close();
    }
    const made = connect(target, credentials);
    clients.set(target, made);
    return made;
  };

  const patience = (signal: AbortSignal) => ({ timeoutMs: callTimeoutMs, signal });

  return {
    async register(bootMac, facts, agent, signal) {
      const request = { bootMac, facts: factsToWire(facts), agent: agentInfoToWire(agent) };
      const client = current();
      const response = await ask(client, client.register, request, patience(signal));
      return {
        name: response.name,
        heartbeatIntervalMs: intervalOf(response.heartbeatInterval),
        controllers: response.controllers.map((text) => parseEndpoint(text)).filter((each) => each !== undefined),
      };
    },
    async heartbeat(bootMac, instanceId, temperatureCelsius, signal) {
      const request = { bootMac, instanceId, temperatureCelsius };
      try {
        const client = current();
        const response = await ask(client, client.heartbeat, request, patience(signal));
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
      for (const client of clients.values()) client.close();
    },
  };
}

function connect(target: string, credentials: ChannelCredentials): EnrollmentServiceClient {
  return new EnrollmentServiceClient(target, credentials, {
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    // The registration loop has a backoff of its own; the channel's must not be slower.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
  });
}

/** Never so short that a misconfigured controller makes every node hammer it. */
function intervalOf(duration: Duration | undefined): number {
  return Math.max((duration && durationFromWire(duration)) || defaultIntervalMs, 100);
}
