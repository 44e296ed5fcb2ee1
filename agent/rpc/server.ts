import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6 } from "node:net";
import type { ServerCredentials } from "@grpc/grpc-js";
import { type AgentServiceServer, AgentServiceService } from "../../proto/gen/pallet/v1/agent.ts";
import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import { createDescribedServer } from "../../proto/grpc/described-server.ts";
import type { Gatekeeper } from "../door/gatekeeper.ts";
import { answerAs } from "./answer-as.ts";

/** A running gRPC server. */
export interface AgentServer {
  /** The TCP port, even when the kernel chose it. */
  readonly port: number;
  /** Takes no new calls, gives the running ones the grace period in milliseconds, then ends them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves AgentService, gRPC health (grpc.health.v1) and reflection to whom the gatekeeper admits. Others are reset as
 * soon as they have connected, before anything that they send is read: they can neither ask for nor exhaust anything.
 * Idle connections are pinged, so that a watcher whose machine vanished is noticed and its stream ended.
 */
export async function serveAgent(options: {
  readonly service: AgentServiceServer;
  readonly listen: string;
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly gatekeeper: Gatekeeper;
  /** Who answers: in every answer, and compared with whom a call is meant for. */
  readonly ids: AgentIds;
}): Promise<AgentServer> {
  const door = createDescribedServer(["pallet.v1.AgentService"], {
    interceptors: [answerAs(options.ids)],
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  door.server.addService(AgentServiceService, options.service);
  door.setHealth("SERVING");

  const injector = door.server.createConnectionInjector(options.credentials);
  const listener = createServer((connection) => {
    if (options.gatekeeper.admits(connection)) injector.injectConnection(connection);
    else connection.resetAndDestroy();
  });
  const listening = once(listener, "listening");
  listener.listen(options.port, options.listen);
  await listening.catch((error: Error) => {
    const host = isIPv6(options.listen) ? `[${options.listen}]` : options.listen;
    throw new Error(`cannot listen on ${host}:${options.port}: ${error.message}`, { cause: error });
  });
  const { port } = listener.address() as AddressInfo;

  return {
    port,
    close(graceMs) {
      listener.close();
      return door.close(graceMs);
    },
  };
}
