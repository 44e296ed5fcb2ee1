import type { Socket } from "node:net";
import type { ServerCredentials } from "@grpc/grpc-js";
import { ControllerServiceService } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService, type RegisterRequest } from "../../proto/gen/pallet/v1/enrollment.ts";
import { createDescribedServer } from "../../proto/grpc/described-server.ts";
import { limits } from "../../proto/limits.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import { precondition } from "../refusal/refusal.ts";
import { frugalRequests } from "./doors/frugal-requests.ts";
import { type CallHost, handleUnary } from "./doors/handle-call.ts";
import { shutService } from "./doors/shut-service.ts";
import { refusedRegistrationFromWire } from "./wire/refused-registration-from-wire.ts";

/** What an agent from before TLS is told, and whoever looks for its node. */
export const speakTlsMessage =
  "this controller speaks TLS only, and this agent is older than that: a netbooted one is as old as the root filesystem " +
  '("controller rootfs build" or "rootfs bake", then power-cycle the node); for an installed system give "controller boot ' +
  'NODE agent", power-cycle the node, and reimage it';

/** What an operator is told who comes without a certificate. */
const proveYourselfMessage =
  'this controller asks operators for a certificate: give --bundle FILE, which "controller operator add" makes, or run this on the management machine';

/** For connections that are no TLS: tells those who look for a controller that they need it, and serves nothing. */
export interface PlainDoor {
  admit(socket: Socket): void;
  close(graceMs: number): Promise<void>;
}

export function createPlainDoor(
  host: CallHost,
  {
    nodes,
    credentials,
  }: { readonly nodes: Pick<NodeRegistry, "recordRefusal">; readonly credentials: ServerCredentials },
): PlainDoor {
  const { server, close } = createDescribedServer([], {
    "grpc.max_concurrent_streams": limits.tls.plainStreams.most,
  });
  server.addService(ControllerServiceService, shutService(ControllerServiceService, proveYourselfMessage));
  server.addService(frugalRequests(EnrollmentServiceService), {
    ...shutService(EnrollmentServiceService, speakTlsMessage),
    register: handleUnary(host, (request: RegisterRequest, { address }) => {
      const refusal = precondition(speakTlsMessage);
      nodes.recordRefusal(refusedRegistrationFromWire(request, address, refusal));
      throw refusal;
    }),
  });
  const injector = server.createConnectionInjector(credentials);
  let open = 0;
  return {
    admit(socket) {
      if (open >= limits.tls.plainConnections.most) {
        socket.destroy();
        return;
      }
      open += 1;
      const cut = setTimeout(() => socket.destroy(), limits.tls.plainMs.most);
      socket.once("close", () => {
        open -= 1;
        clearTimeout(cut);
      });
      injector.injectConnection(socket);
    },
    close,
  };
}
