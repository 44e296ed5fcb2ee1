import { durationToWire } from "../../../proto/duration.ts";
import type {
  EnrollmentServiceServer,
  HeartbeatRequest,
  RegisterRequest,
  ReportLogsRequest,
} from "../../../proto/gen/pallet/v1/enrollment.ts";
import { type Endpoint, renderEndpoint } from "../../../proto/names/endpoint.ts";
import type { Admission } from "../../agents/admit-registration.ts";
import type { NodeLogs } from "../../logs/node-logs.ts";
import type { NodeRegistry } from "../../nodes/node-registry.ts";
import { logReportFromWire } from "../wire/log-report-from-wire.ts";
import { refusedRegistrationFromWire } from "../wire/refused-registration-from-wire.ts";
import { heartbeatFromWire, registrationFromWire } from "../wire/registration-from-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";

/** pallet.v1.EnrollmentService over the node registry and the nodes' logs. */
export function createEnrollmentService(
  host: CallHost,
  {
    nodes,
    admission,
    nodeLogs,
    heartbeatIntervalMs,
    controllers = () => [],
  }: {
    readonly nodes: NodeRegistry;
    readonly admission: Admission;
    readonly nodeLogs: NodeLogs;
    readonly heartbeatIntervalMs: number;
    /** Where agents reach this controller, in the order in which they are to try. */
    readonly controllers?: (() => readonly Endpoint[]) | undefined;
  },
): EnrollmentServiceServer {
  return {
    register: handleUnary(host, async (request: RegisterRequest, { address, signal }) => {
      try {
        const { name } = await admission.register(registrationFromWire(request, address), signal);
        return {
          name,
          heartbeatInterval: durationToWire(heartbeatIntervalMs),
          controllers: controllers().map(renderEndpoint),
        };
      } catch (error) {
        // Whoever is refused says so on a console that nobody looks at.
        nodes.recordRefusal(refusedRegistrationFromWire(request, address, error));
        throw error;
      }
    }),

    heartbeat: handleUnary(host, (request: HeartbeatRequest, { address }) => {
      nodes.heartbeat(heartbeatFromWire(request, address));
      return { heartbeatInterval: durationToWire(heartbeatIntervalMs) };
    }),

    reportLogs: handleUnary(host, (request: ReportLogsRequest) => {
      nodeLogs.report(logReportFromWire(request));
      return {};
    }),
  };
}
