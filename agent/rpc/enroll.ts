import { type ChannelCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { Failure } from "../../proto/failure.ts";
import { ask } from "../../proto/grpc/call.ts";
import { renderEndpoint } from "../../proto/names/endpoint.ts";
import { agentRoles } from "../../proto/node/node-codec.ts";
import { type Enrol, type Enrolled, RefusedEnrolmentError } from "../identity/enroller.ts";
import type { ClientTls } from "../identity/held-identity.ts";
import type { ControllerList } from "../registration/controller-list.ts";
import { connectTo, explainCallError } from "./channel.ts";

/** How long a call may take before it counts as failed, in milliseconds. */
const callTimeoutMs = 10_000;

/** Answers after which the same request has no better chance. */
const refusals: readonly status[] = [
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
];

/** Asks the controller at its current address, each time over a connection of its own: the next one has another key. */
export function createEnroller(
  controllers: Pick<ControllerList, "current">,
  credentialsOf: (tls: ClientTls) => ChannelCredentials,
): {
  readonly enrol: Enrol;
  readonly enrolResident: (tls: ClientTls, request: Uint8Array, signal: AbortSignal) => Promise<Enrolled>;
} {
  const call = async <T>(tls: ClientTls, calling: (client: ReturnType<typeof connectTo>) => Promise<T>): Promise<T> => {
    const at = controllers.current();
    if (at === undefined) throw new Failure("invalid", "this agent knows no address of a controller");
    const client = connectTo(renderEndpoint(at), { credentials: credentialsOf(tls), servername: tls.servername });
    try {
      return await calling(client);
    } catch (error) {
      const explained = explainCallError(error, at);
      const { code, details } = error as ServiceError;
      if (explained === error && refusals.includes(code)) throw new RefusedEnrolmentError(details, { cause: error });
      throw explained;
    } finally {
      client.close();
    }
  };
  return {
    enrol: (tls, { token = "", request, bootMac, serial, bootId, role }, signal) =>
      call(tls, async (client) => {
        const wire = { token, csrDer: Buffer.from(request), bootMac, serial, bootId, role: agentRoles.toWire(role) };
        const answer = await ask(client, client.enroll, wire, { timeoutMs: callTimeoutMs, signal });
        return {
          certificate: answer.certificateDer,
          authorities: answer.caCertificates,
          controllerTimeMs: answer.controllerTime?.getTime(),
        };
      }),
    enrolResident: (tls, request, signal) =>
      call(tls, async (client) => {
        const wire = { csrDer: Buffer.from(request) };
        const answer = await ask(client, client.enrollResident, wire, { timeoutMs: callTimeoutMs, signal });
        return { certificate: answer.certificateDer, authorities: answer.caCertificates, controllerTimeMs: undefined };
      }),
  };
}
