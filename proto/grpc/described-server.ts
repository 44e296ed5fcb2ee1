import { Server, type ServerOptions } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { limits } from "../limits.ts";
import { reflectionDefinition, standardServices } from "../package-definition.ts";

/** A gRPC server that says of itself what it serves and whether it does (grpc.health.v1, grpc.reflection). */
export interface DescribedServer {
  readonly server: Server;
  /** Of the server as a whole, and of each of its services. */
  setHealth(status: "SERVING" | "NOT_SERVING"): void;
  /** Takes no new calls, gives the running ones `graceMs` milliseconds, then ends them. */
  close(graceMs: number): Promise<void>;
}

/** What one connection may hold of any server; more calls wait at their caller, a longer message ends its call. */
const bounds: ServerOptions = {
  "grpc.max_concurrent_streams": limits.grpc.streamsPerConnection.most,
  "grpc.max_receive_message_length": limits.grpc.messageBytes.most,
  // In MB (node:http2, maxSessionMemory); grpc-js sets no bound.
  "grpc-node.max_session_memory": limits.grpc.sessionBytes.most / 2 ** 20,
};

/**
 * Makes a server without services; the caller adds those that are named. Health is NOT_SERVING at first.
 *
 * @param services full names, as "pallet.v1.AgentService"
 * @param describes the services that reflection describes; every file of the contracts unless given
 */
export function createDescribedServer(
  services: readonly string[],
  options: ServerOptions,
  describes?: readonly string[],
): DescribedServer {
  const server = new Server({ ...bounds, ...options });
  const health = new HealthImplementation();
  health.addToServer(server);
  const described = [...services, ...standardServices];
  new ReflectionService(reflectionDefinition(describes), { services: described }).addToServer(server);
  const setHealth: DescribedServer["setHealth"] = (status) => {
    // The empty name stands for the server as a whole.
    for (const name of ["", ...services]) health.setStatus(name, status);
  };
  setHealth("NOT_SERVING");
  return {
    server,
    setHealth,
    async close(graceMs) {
      setHealth("NOT_SERVING");
      const closed = Promise.withResolvers<void>();
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      // The only possible error is "the server is not running", which is fine.
      server.tryShutdown(() => closed.resolve());
      await closed.promise;
      clearTimeout(timer);
    },
  };
}
