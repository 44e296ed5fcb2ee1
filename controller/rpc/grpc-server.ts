import { once } from "node:events";
import { createServer, type Socket, type Server as TcpServer, type Server as UnixServer } from "node:net";
import type { ServerCredentials } from "@grpc/grpc-js";
import { ControllerServiceService } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService } from "../../proto/gen/pallet/v1/enrollment.ts";
import { createDescribedServer } from "../../proto/grpc/described-server.ts";
import type { Endpoint } from "../../proto/names/endpoint.ts";
import { standardServices } from "../../proto/package-definition.ts";
import { monotonicClock } from "../../proto/time/clock.ts";
import { createAdmission } from "../agents/admit-registration.ts";
import { createControllerService } from "./doors/controller-service.ts";
import { createEnrollmentService } from "./doors/enrollment-service.ts";
import type { CallHost } from "./doors/handle-call.ts";
import type { ControllerParts } from "./doors/parts.ts";
import { shutService } from "./doors/shut-service.ts";
import { listenForOwner, prepareSocketPath } from "./unix-socket.ts";

/** How long running calls may take to end at shutdown before they are cut, in milliseconds. */
const graceMs = 2000;

export interface GrpcServerOptions {
  readonly parts: ControllerParts;
  readonly heartbeatIntervalMs: number;
  /** Where agents reach this controller; absent: they are not told. */
  readonly controllers?: () => readonly Endpoint[];
  readonly credentials: ServerCredentials;
  /** Path of the unix socket, and what protects it. */
  readonly socket: string;
  readonly socketCredentials: ServerCredentials;
  /** Whether ControllerService is served over TCP too, to anyone who can reach the port. */
  readonly insecureTcp: boolean;
  readonly log: CallHost["log"];
}

export interface GrpcServer {
  /**
   * Listens on TCP too. May be tried again when it failed, for an address that this machine does not have yet.
   *
   * @param port 0 lets the system choose
   * @returns the port. Rejects with the error of listen(2)
   */
  listenTcp(address: string, port: number): Promise<number>;
  /**
   * Ends streams with UNAVAILABLE, lets the rest finish, and cuts what has not ended in time. Resolves when the work of
   * every call has ended, too.
   */
  close(): Promise<void>;
}

/** Maximum number of open streams per TCP connection; an agent has three at most. */
const maxStreamsOverTcp = 32;

// Detects callers that vanished silently, and ends their streams.
const keepalive = { "grpc.keepalive_time_ms": 30_000, "grpc.keepalive_timeout_ms": 10_000 };

/**
 * Serves the controller over gRPC, with health and reflection of what each door has: everything on the unix socket, and
 * over TCP enrolment alone, unless `insecureTcp`. Whoever reaches a TCP port, that of loopback too, may be anyone.
 *
 * Resolves when the socket listens; rejects with a Failure when it cannot.
 */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const closing = new AbortController();
  const ongoing: CallHost["ongoing"] = new Set();
  const host: CallHost = { closing: closing.signal, ongoing, log: options.log };
  const { nodes, nodeLogs, agents, events } = options.parts;
  const admission = createAdmission({ nodes, agents, events, clock: monotonicClock, closed: closing.signal });
  const { heartbeatIntervalMs, controllers } = options;
  const enrollment = createEnrollmentService(host, { nodes, admission, nodeLogs, heartbeatIntervalMs, controllers });
  const socketDoor = createDescribedServer(["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"], keepalive);
  socketDoor.server.addService(ControllerServiceService, createControllerService(host, options.parts));
  socketDoor.server.addService(EnrollmentServiceService, enrollment);
  const doors = [socketDoor];
  if (!options.insecureTcp) {
    const services = ["pallet.v1.EnrollmentService"];
    const described = [...services, ...standardServices];
    const limits = { "grpc.max_concurrent_streams": maxStreamsOverTcp };
    const tcpDoor = createDescribedServer(services, { ...keepalive, ...limits }, described);
    tcpDoor.server.addService(EnrollmentServiceService, enrollment);
    tcpDoor.server.addService(ControllerServiceService, shutService(ControllerServiceService));
    doors.unshift(tcpDoor);
  }
  const [tcpDoor = socketDoor] = doors;

  let unixServer: UnixServer | undefined;
  let tcpServer: TcpServer | undefined;
  try {
    await prepareSocketPath(options.socket);
    const injector = socketDoor.server.createConnectionInjector(options.socketCredentials);
    unixServer = await listenForOwner(options.socket, (connection) => injector.injectConnection(connection));
    for (const door of doors) door.setHealth("SERVING");
    return {
      async listenTcp(address, port) {
        const injector = tcpDoor.server.createConnectionInjector(options.credentials);
        tcpServer = await listen(address, port, (connection) => injector.injectConnection(connection));
        const bound = tcpServer.address();
        return bound !== null && typeof bound === "object" ? bound.port : port;
      },
      async close() {
        for (const door of doors) door.setHealth("NOT_SERVING");
        closing.abort();
        unixServer?.close();
        tcpServer?.close();
        await Promise.all(doors.map((door) => door.close(graceMs)));
        // Whatever a call was making, for example an image, is cleaned up before the process may end.
        await Promise.allSettled(ongoing);
      },
    };
  } catch (error) {
    for (const { server } of doors) server.forceShutdown();
    throw error;
  }
}

/** Rejects with the error of listen(2); grpc-js itself would not try an address a second time. */
async function listen(address: string, port: number, connected: (connection: Socket) => void): Promise<TcpServer> {
  const server = createServer(connected);
  server.listen(port, address);
  await once(server, "listening");
  return server;
}
