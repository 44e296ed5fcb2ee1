import { durationToWire } from "../../../proto/duration.ts";
import type {
  EnrollmentServiceServer,
  EnrollRequest,
  EnrollResidentRequest,
  HeartbeatRequest,
  RegisterRequest,
  ReportLogsRequest,
} from "../../../proto/gen/pallet/v1/enrollment.ts";
import { limits } from "../../../proto/limits.ts";
import { type Endpoint, renderEndpoint } from "../../../proto/names/endpoint.ts";
import { type Clock, monotonicClock } from "../../../proto/time/clock.ts";
import { pause } from "../../../proto/time/pause.ts";
import type { Admission } from "../../agents/admit-registration.ts";
import type { ControllerIdentity } from "../../identity/open-identity.ts";
import type { NodeLogs } from "../../logs/node-logs.ts";
import type { NodeRegistry } from "../../nodes/node-registry.ts";
import { Refusal } from "../../refusal/refusal.ts";
import { enrolmentFromWire } from "../wire/enrolment-from-wire.ts";
import { logBatchFromWire, logReportFromWire } from "../wire/log-report-from-wire.ts";
import { refusedRegistrationFromWire } from "../wire/refused-registration-from-wire.ts";
import { heartbeatFromWire, registrationFromWire } from "../wire/registration-from-wire.ts";
import { assertOwnNode } from "./assert-own-node.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";

/** pallet.v1.EnrollmentService over the authority, the node registry and the nodes' logs. */
export function createEnrollmentService(
  host: CallHost,
  {
    nodes,
    admission,
    nodeLogs,
    identity: { authority, enrolment },
    clock,
    heartbeatIntervalMs,
    controllers = () => [],
  }: {
    readonly nodes: NodeRegistry;
    readonly admission: Admission;
    readonly nodeLogs: NodeLogs;
    readonly identity: Pick<ControllerIdentity, "authority" | "enrolment">;
    readonly clock: Pick<Clock, "now">;
    readonly heartbeatIntervalMs: number;
    /** Where agents reach this controller, in the order in which they are to try. */
    readonly controllers?: (() => readonly Endpoint[]) | undefined;
  },
): EnrollmentServiceServer {
  const caCertificates = (): Buffer[] => authority.certificates().map((certificate) => Buffer.from(certificate));
  return {
    enroll: handleUnary(host, (request: EnrollRequest, { address, peer }) => {
      const { certificate, expiresAt } = enrolment.enroll(enrolmentFromWire(request, address), peer);
      return {
        certificateDer: Buffer.from(certificate),
        caCertificates: caCertificates(),
        controllerTime: new Date(clock.now()),
        expiresAt: new Date(expiresAt),
      };
    }),

    enrollResident: handleUnary(host, ({ csrDer }: EnrollResidentRequest, { peer }) => {
      const { certificate, expiresAt } = enrolment.enrollResident(csrDer, peer);
      return {
        certificateDer: Buffer.from(certificate),
        caCertificates: caCertificates(),
        expiresAt: new Date(expiresAt),
      };
    }),

    register: handleUnary(host, async (request: RegisterRequest, { address, signal, peer }) => {
      try {
        const registration = registrationFromWire(request, address);
        const { id: nodeId, facts, agent } = registration;
        assertOwnNode(peer, { nodeId, bootId: facts.bootId, role: agent.role });
        const { name } = await admission.register(registration, signal);
        return {
          name,
          heartbeatInterval: durationToWire(heartbeatIntervalMs),
          controllers: controllers().map(renderEndpoint),
          caCertificates: caCertificates(),
        };
      } catch (error) {
        // Whoever is refused says so on a console that nobody looks at.
        nodes.recordRefusal(refusedRegistrationFromWire(request, address, error));
        throw error;
      }
    }),

    heartbeat: handleUnary(host, (request: HeartbeatRequest, { address, peer }) => {
      const heartbeat = heartbeatFromWire(request, address);
      assertOwnNode(peer, { nodeId: heartbeat.id });
      nodes.heartbeat(heartbeat);
      return { heartbeatInterval: durationToWire(heartbeatIntervalMs), caCertificates: caCertificates() };
    }),

    reportLogs: handleUnary(host, (request: ReportLogsRequest, { signal, peer }) => {
      const { id, instanceId, cost } = logBatchFromWire(request);
      assertOwnNode(peer, { nodeId: id });
      if (!nodeLogs.admits(id, instanceId, cost)) return refuseLater(signal);
      nodeLogs.report(logReportFromWire(request));
      return {};
    }),
  };
}

/**
 * Refuses a batch that is over its node's quota, but not at once: a node that floods has to wait for the answers to the
 * calls that its connection may have, and so has its next ones. Its agent keeps the records, and sends them again.
 */
async function refuseLater(signal: AbortSignal): Promise<never> {
  await pause(monotonicClock, limits.logs.refusalMs.most, signal);
  throw new Refusal("exhausted", "this node logs more than its share; send the same records again later", {
    reason: "invalid",
  });
}
