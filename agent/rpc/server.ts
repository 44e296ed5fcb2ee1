import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from "node:net";
import type { ServerCredentials } from "@grpc/grpc-js";
import {
  type BoundedConnectionsOptions,
  createBoundedConnections,
} from "../../proto/connections/bounded-connections.ts";
import { type AgentServiceServer, AgentServiceService } from "../../proto/gen/pallet/v1/agent.ts";
import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import { createDescribedServer } from "../../proto/grpc/described-server.ts";
import { limits } from "../../proto/limits.ts";
import { listenForOwner, prepareSocketPath } from "../../proto/linux/owner-socket.ts";
import { answerAs } from "./answer-as.ts";

/** Where the agent listens on the network. */
export interface NetworkDoor {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /**
   * Returns what gets each connection as the kernel accepted it, and gives to `admit` those whose calls may be answered,
   * decrypted; the others it ends.
   */
  readonly open: (admit: (connection: Socket) => void) => (connection: Socket) => void;
}

/** A running gRPC server. */
export interface AgentServer {
  /** The TCP port, even when the kernel chose it; undefined without a network door. */
  readonly port: number | undefined;
  /** Takes no new calls, gives the running ones the grace period in milliseconds, then ends them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves AgentService, gRPC health (grpc.health.v1) and reflection: on the unix socket to the agent's own user, which is
 * root on a node, and on the network to those whom its door admits. Idle connections are pinged, so that a watcher whose
 * machine vanished is noticed and its stream ended.
 */
export async function serveAgent(options: {
  readonly service: AgentServiceServer;
  /** Path of the unix socket; undefined to have none. */
  readonly socket: string | undefined;
  readonly network: NetworkDoor | undefined;
  /** Those of connections that are plain, or decrypted already. */
  readonly credentials: ServerCredentials;
  readonly log: BoundedConnectionsOptions["log"];
  /** Who answers: in every answer, and compared with whom a call is meant for. */
  readonly ids: AgentIds;
}): Promise<AgentServer> {
  const { network } = options;
  const door = createDescribedServer(["pallet.v1.AgentService"], {
    interceptors: [answerAs(options.ids)],
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  door.server.addService(AgentServiceService, options.service);
  door.setHealth("SERVING");

  const connections = createBoundedConnections({
    limits: { all: limits.grpc.connectionsToAgent.most, perAddress: limits.grpc.connectionsToAgentPerAddress.most },
    tellsWork: false,
    log: options.log,
  });
  const injector = door.server.createConnectionInjector(options.credentials);
  const admit = (connection: Socket): void => injector.injectConnection(connection);

  const listeners: Server[] = [];
  const close = (graceMs: number): Promise<void> => {
    for (const listener of listeners) listener.close();
    return door.close(graceMs);
  };
  try {
    if (options.socket !== undefined) {
      await prepareSocketPath(options.socket, { program: "agent", setting: "--socket" });
      listeners.push(await listenForOwner(options.socket, admit));
    }
    if (network === undefined) return { port: undefined, close };
    const knocked = network.open(admit);
    const listener = createServer((connection) => {
      if (connections.admit(connection)) knocked(connection);
    });
    listeners.push(await listening(listener, network));
    return { port: (listener.address() as AddressInfo).port, close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

async function listening(listener: Server, { address, port }: NetworkDoor): Promise<Server> {
  const ready = once(listener, "listening");
  listener.listen(port, address);
  await ready.catch((error: Error) => {
    const host = isIPv6(address) ? `[${address}]` : address;
    throw new Error(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
  });
  return listener;
}
