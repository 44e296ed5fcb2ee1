import { once } from "node:events";
import { type AddressInfo, createServer, type Socket, type Server as UnixServer } from "node:net";
import type { ConnectionInjector, ServerCredentials, ServerOptions } from "@grpc/grpc-js";
import {
  type BoundedConnectionsOptions,
  createBoundedConnections,
} from "../../proto/connections/bounded-connections.ts";
import { ControllerServiceService } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService } from "../../proto/gen/pallet/v1/enrollment.ts";
import { createDescribedServer, type DescribedServer } from "../../proto/grpc/described-server.ts";
import { limits } from "../../proto/limits.ts";
import { listenForOwner, prepareSocketPath } from "../../proto/linux/owner-socket.ts";
import type { Endpoint } from "../../proto/names/endpoint.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { type Clock, monotonicClock } from "../../proto/time/clock.ts";
import { createAdmission } from "../agents/admit-registration.ts";
import { boundStrangers } from "../tls/bound-strangers.ts";
import { logProblem } from "../tls/log-problem.ts";
import { listenTls } from "../tls/tls-listener.ts";
import { createUploads } from "../uploads/uploads.ts";
import { createAccess } from "./access.ts";
import { createControllerService } from "./doors/controller-service.ts";
import { createEnrollmentService } from "./doors/enrollment-service.ts";
import { frugalRequests } from "./doors/frugal-requests.ts";
import type { CallHost } from "./doors/handle-call.ts";
import type { ControllerParts } from "./doors/parts.ts";
import { createPlainDoor } from "./plain-door.ts";
import { shareSocket } from "./share-socket.ts";
import { createSocketPeers } from "./socket-peers.ts";
import { userOf } from "./socket-user.ts";
import { openUploadDoor, type UploadDoor } from "./upload-door.ts";

/** How long running calls may take to end at shutdown before they are cut, in milliseconds. */
const graceMs = 2000;

export interface GrpcServerOptions {
  readonly parts: ControllerParts;
  readonly heartbeatIntervalMs: number;
  /** Where agents reach this controller; absent: they are not told. */
  readonly controllers?: () => readonly Endpoint[];
  /** Those of plain connections: it is the listener that secures them. */
  readonly credentials: ServerCredentials;
  /** Path of the unix socket. */
  readonly socket: string;
  /** Group whose members may use the socket too. */
  readonly socketGroup?: string;
  /** Whether TCP is plain, and whoever reaches the port may call everything. */
  readonly insecure: boolean;
  /** Notified of each call in which a node proves who it is, and by which authority (fingerprint). */
  readonly nodeProved?: (nodeId: NodeId, authority: string) => void;
  /** What agents are told that time it is. */
  readonly clock: Pick<Clock, "now">;
  readonly log: CallHost["log"] & BoundedConnectionsOptions["log"] & { debug(details: object, message: string): void };
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

// Detects callers that vanished silently, and ends their streams.
const keepalive = { "grpc.keepalive_time_ms": 30_000, "grpc.keepalive_timeout_ms": 10_000 };
const services = ["pallet.v1.ControllerService", "pallet.v1.EnrollmentService"];

/**
 * Serves the controller over gRPC, with health and reflection: on the unix socket, to whom its file lets in, and over TLS
 * on TCP, where each call is held against who makes it. `insecure` makes TCP plain, and open to everyone.
 *
 * Resolves when the socket listens; rejects with a Failure when it cannot.
 */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { insecure, log, heartbeatIntervalMs, controllers, clock } = options;
  const { nodes, nodeLogs, agents, events, identity } = options.parts;
  const closing = new AbortController();
  const peers = createSocketPeers();
  const uploads = createUploads(monotonicClock);
  const access = createAccess({ identity, nodeProved: options.nodeProved });
  const host: CallHost = {
    closing: closing.signal,
    ongoing: new Set(),
    callerOf: (call) => peers.callerOf(call.getPeer()) ?? access.callerOf(call),
    peerOf: access.peerOf,
    uploads,
    log,
  };
  const admission = createAdmission({ nodes, agents, events, clock: monotonicClock, closed: closing.signal });
  const controllerService = createControllerService(host, options.parts);
  const enrollmentService = createEnrollmentService(host, {
    ...{ nodes, admission, nodeLogs, heartbeatIntervalMs, controllers },
    // Where there is no TLS, agents are told of no authority either.
    identity: insecure ? { ...identity, authority: { ...identity.authority, certificates: () => [] } } : identity,
    clock,
  });
  const socketDoor = createDescribedServer(services, keepalive);
  const makeTcpDoor = (bounds: ServerOptions = {}) => {
    const interceptors = insecure ? [] : [access.interceptor];
    return createDescribedServer(services, { ...keepalive, interceptors, ...bounds });
  };
  /** On TCP: what a call may hold while its message has not come to its end depends on who makes it. */
  const tcpDoors = {
    operator: makeTcpDoor(),
    agent: makeTcpDoor({ "grpc.max_concurrent_streams": limits.grpc.nodeStreams.most }),
    anonymous: makeTcpDoor({
      "grpc.max_concurrent_streams": limits.grpc.strangersStreams.most,
      "grpc.max_receive_message_length": limits.grpc.nodeRequestBytes.most,
    }),
  };
  const doors = [socketDoor, ...Object.values(tcpDoors)];
  for (const { server } of doors) {
    server.addService(ControllerServiceService, controllerService);
    server.addService(frugalRequests(EnrollmentServiceService), enrollmentService);
  }
  const plainDoor = createPlainDoor(host, { nodes, credentials: options.credentials });
  const injectorOf = ({ server }: DescribedServer): ConnectionInjector =>
    server.createConnectionInjector(options.credentials);
  const toTcpDoor = {
    operator: injectorOf(tcpDoors.operator),
    agent: injectorOf(tcpDoors.agent),
    anonymous: injectorOf(tcpDoors.anonymous),
  };
  const connectionsOfNodes = new Map<NodeId, Set<Socket>>();

  const connections = createBoundedConnections({
    limits: { all: limits.grpc.connections.most, perAddress: limits.grpc.connectionsPerAddress.most },
    tellsWork: false,
    log,
  });
  const strangers = boundStrangers(log);

  /** The oldest makes room: it may be that of a boot that ended without a word. */
  function countOfNode(nodeId: NodeId, socket: Socket): void {
    const open = connectionsOfNodes.get(nodeId) ?? new Set();
    connectionsOfNodes.set(nodeId, open.add(socket));
    socket.once("close", () => {
      open.delete(socket);
      if (open.size === 0) connectionsOfNodes.delete(nodeId);
    });
    const [oldest] = open;
    if (open.size > limits.grpc.connectionsPerNode.most) oldest?.destroy();
  }

  async function listenSecurely(address: string, port: number): Promise<Listening> {
    const listener = await listenTls({
      ...{ address, port, protocol: "h2", identity: identity.authority },
      secured(socket) {
        const caller = access.callerBehind(socket);
        if (caller.kind === "anonymous" && !strangers.admit(socket)) return;
        if (!connections.admit(socket)) return;
        if (caller.kind === "agent") countOfNode(caller.nodeId, socket);
        // So that grpc-js tells of the certificate: access judges it, call by call.
        socket.authorized = true;
        toTcpDoor[caller.kind].injectConnection(socket);
      },
      plain: plainDoor.admit,
      onProblem: logProblem(log),
    });
    const stopListening = identity.authority.onChange(listener.renew);
    return {
      port: listener.port,
      close() {
        stopListening();
        listener.close();
      },
    };
  }

  let unixServer: UnixServer | undefined;
  let uploadDoor: UploadDoor | undefined;
  let tcp: Listening | undefined;
  try {
    await prepareSocketPath(options.socket, { program: "controller", setting: "socket (--socket)" });
    const toSocketDoor = injectorOf(socketDoor);
    unixServer = await listenForOwner(options.socket, (connection) => {
      try {
        peers.admit(connection, userOf(connection));
        toSocketDoor.injectConnection(connection);
      } catch (error) {
        // Who he is has to be known before he may change anything.
        log.error({ err: error }, "could not tell who connects to the socket; refused him");
        connection.destroy();
      }
    });
    const { socket, socketGroup } = options;
    if (socketGroup !== undefined) await shareSocket(socket, socketGroup);
    uploadDoor = await openUploadDoor({ socket, uploads, log, ...(socketGroup !== undefined && { socketGroup }) });
    for (const door of doors) door.setHealth("SERVING");
    return {
      async listenTcp(address, port) {
        tcp = await (insecure
          ? listenPlainly(address, port, (connection) => {
              if (connections.admit(connection)) toTcpDoor.operator.injectConnection(connection);
            })
          : listenSecurely(address, port));
        return tcp.port;
      },
      async close() {
        for (const door of doors) door.setHealth("NOT_SERVING");
        closing.abort();
        unixServer?.close();
        uploadDoor?.close();
        uploads.close();
        tcp?.close();
        access.close();
        await Promise.all([...doors, plainDoor].map((door) => door.close(graceMs)));
        // Whatever a call was making, for example an image, is cleaned up before the process may end.
        await Promise.allSettled(host.ongoing);
      },
    };
  } catch (error) {
    unixServer?.close();
    uploadDoor?.close();
    for (const { server } of doors) server.forceShutdown();
    throw error;
  }
}

/** A server that listens on TCP. */
interface Listening {
  readonly port: number;
  close(): void;
}

/** Rejects with the error of listen(2); grpc-js itself would not try an address a second time. */
async function listenPlainly(
  address: string,
  port: number,
  connected: (connection: Socket) => void,
): Promise<Listening> {
  const server = createServer(connected);
  server.listen(port, address);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
