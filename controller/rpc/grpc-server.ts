import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { ControllerServiceService } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService } from "../../proto/gen/pallet/v1/enrollment.ts";
import { reflectionDefinition, standardServices } from "../../proto/package-definition.ts";
import { hostPort } from "../listen-failure.ts";
import { createControllerService } from "./controller-service.ts";
import { createEnrollmentService } from "./enrollment-service.ts";
import type { CallHost } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";
import { prepareSocketPath, restrictSocket } from "./unix-socket.ts";

/** How long running calls may take to end at shutdown before they are cut, in milliseconds. */
const graceMs = 2000;

export interface GrpcServerOptions {
  readonly parts: ControllerParts;
  readonly heartbeatIntervalMs: number;
  readonly address: string;
  /** TCP port; 0 lets the system choose. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  /** Path of the unix socket, and what protects it. */
  readonly socket: string;
  readonly socketCredentials: ServerCredentials;
  readonly log: CallHost["log"];
}

export interface GrpcServer {
  readonly port: number;
  /**
   * Ends streams with UNAVAILABLE, lets the rest finish, and cuts what has not ended in time. Resolves when the work of
   * every call has ended, too.
   */
  close(): Promise<void>;
}

const services = ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"] as const;
/** The empty name stands for the server as a whole. */
const healthNames = ["", ...services] as const;

/**
 * Serves the controller's services, gRPC health and reflection over TCP and over a unix socket.
 *
 * Resolves when both listen; rejects with the error of listen(2) for TCP, with a Failure for the socket.
 */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const closing = new AbortController();
  const ongoing: CallHost["ongoing"] = new Set();
  const host: CallHost = { closing: closing.signal, ongoing, log: options.log };
  const server = new Server({
    // Callers that vanished without a word are noticed, and their streams end.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  server.addService(ControllerServiceService, createControllerService(host, options.parts));
  const { nodes, nodeLogs } = options.parts;
  const { heartbeatIntervalMs } = options;
  server.addService(EnrollmentServiceService, createEnrollmentService(host, { nodes, nodeLogs, heartbeatIntervalMs }));
  const health = new HealthImplementation();
  health.addToServer(server);
  new ReflectionService(reflectionDefinition(), { services: [...services, ...standardServices] }).addToServer(server);

  try {
    await prepareSocketPath(options.socket);
    const port = await bind(server, hostPort(options.address, options.port), options.credentials);
    await bind(server, `unix:${options.socket}`, options.socketCredentials);
    await restrictSocket(options.socket);
    for (const service of healthNames) health.setStatus(service, "SERVING");
    return {
      port,
      async close() {
        for (const service of healthNames) health.setStatus(service, "NOT_SERVING");
        closing.abort();
        await shutDown(server);
        // What a call was making, an image for example, is gone before the process may be.
        await Promise.allSettled(ongoing);
      },
    };
  } catch (error) {
    server.forceShutdown();
    throw error;
  }
}

function bind(server: Server, target: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
