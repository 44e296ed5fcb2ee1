import { isIPv6 } from "node:net";
import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { type AgentServiceServer, AgentServiceService } from "../../proto/gen/pallet/v1/agent.ts";
import { reflectionDefinition, standardServices } from "../../proto/package-definition.ts";

/** A running gRPC server. */
export interface AgentServer {
  /** The TCP port, also when the kernel chose it. */
  readonly port: number;
  /** Takes no new calls, gives the running ones the grace period in milliseconds, then ends them. */
  close(graceMs: number): Promise<void>;
}

const SERVICE_NAME = "pallet.v1.AgentService";

/**
 * Serves AgentService, gRPC health (grpc.health.v1) and reflection. Idle connections are pinged, so that a watcher
 * whose machine vanished is noticed and its stream ended.
 */
export async function serveAgent(options: {
  readonly service: AgentServiceServer;
  readonly listen: string;
  readonly port: number;
  readonly credentials: ServerCredentials;
}): Promise<AgentServer> {
  const server = new Server({
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  const health = new HealthImplementation({ "": "SERVING", [SERVICE_NAME]: "SERVING" });
  server.addService(AgentServiceService, options.service);
  health.addToServer(server);
  new ReflectionService(reflectionDefinition(), { services: [SERVICE_NAME, ...standardServices] }).addToServer(server);

  const host = isIPv6(options.listen) ? `[${options.listen}]` : options.listen;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, options.credentials, (error, bound) => {
      if (error) reject(new Error(`cannot listen on ${host}:${options.port}: ${error.message}`, { cause: error }));
      else resolve(bound);
    });
  });

  return {
    port,
    async close(graceMs) {
      health.setStatus("", "NOT_SERVING");
      health.setStatus(SERVICE_NAME, "NOT_SERVING");
      const closed = Promise.withResolvers<void>();
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      // The only error is "the server is not running", which is what is wanted.
      server.tryShutdown(() => closed.resolve());
      await closed.promise;
      clearTimeout(timer);
    },
  };
}
