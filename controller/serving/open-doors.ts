import { insecureDoors } from "../config/insecure.ts";
import type { ControllerParts } from "../rpc/doors/parts.ts";
import type { GrpcServer, GrpcServerOptions } from "../rpc/grpc-server.ts";
import { grpcListener, listen } from "./listeners.ts";
import type { Attempts } from "./patience.ts";
import type { Stage } from "./stage.ts";

/** Opens the gRPC doors on the unix socket: from here on commands get answers, whatever else is still waiting. */
export async function openDoors(
  { config, adapters, endpoints, running }: Stage,
  parts: ControllerParts,
  nodeProved: GrpcServerOptions["nodeProved"],
): Promise<GrpcServer> {
  const { events } = parts;
  const { version, clock, log } = adapters;
  const { heartbeatIntervalMs, socket, socketGroup, insecure } = config;
  const grpc = await adapters.listenGrpc({
    ...{ parts, heartbeatIntervalMs, socket, insecure, clock, log },
    ...(socketGroup !== undefined && { socketGroup }),
    ...(nodeProved !== undefined && { nodeProved }),
    controllers: () => endpoints.controllers(),
  });
  running.defer(() => grpc.close());
  events.append({ type: "controller-started", severity: "info", message: `controller ${version} started` });
  running.defer(() => {
    events.append({ type: "controller-stopped", severity: "info", message: "the controller is stopping" });
  });
  return grpc;
}

/** Opens the doors on TCP, for the nodes' agents, and warns about what the configuration opens to everyone. */
export function openTcpDoors(
  { config, adapters, endpoints, patience }: Stage,
  grpc: GrpcServer,
  { events }: Pick<ControllerParts, "events">,
): Attempts<void> {
  return patience.until("gRPC", async () => {
    const port = await listen(grpcListener(config), grpc.listenTcp);
    for (const message of insecureDoors(config, port)) {
      adapters.log.warn(message);
      events.append({ type: "insecure-opened", severity: "warning", message });
    }
    endpoints.bound("grpc", port);
  });
}
