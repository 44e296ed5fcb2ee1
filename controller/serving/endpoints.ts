import { type Endpoint, parseEndpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import type { BootEndpoints } from "../boot/plan-boot.ts";
import type { Config } from "../config/config.ts";

/** A server of the controller's own that nodes reach by a port. */
export type ServerName = "grpc" | "http" | "https" | "tftp";

/** Where the controller is reached. Ports that the system chooses are known one by one, as the servers are bound. */
export interface Endpoints {
  /** Call as soon as a server listens. */
  bound(server: ServerName, port: number): void;
  /** "host:port" as nodes reach the server; by its configured port until it listens. */
  reached(server: ServerName): string;
  /** "host:port" that the server listens at. */
  listening(server: ServerName): string;
  /** Everywhere that agents reach gRPC, in the order in which they are to try; none while its port is not known. */
  controllers(): readonly Endpoint[];
  /** What boot configs say about this machine, by the configured port of gRPC. */
  planned(): BootEndpoints;
  /** What boot configs say about this machine. Resolves when gRPC, HTTP and HTTPS listen: no config is rendered before. */
  readonly boot: Promise<BootEndpoints>;
}

/** Endpoints of a controller whose servers do not listen yet. */
export function createEndpoints(
  config: Pick<
    Config,
    "listen" | "advertise" | "grpcPort" | "httpPort" | "httpsPort" | "insecure" | "tftpPort" | "nfs"
  > &
    Partial<Pick<Config, "advertiseAlso">>,
): Endpoints {
  const { grpcPort: grpc, httpPort: http, httpsPort: https, tftpPort: tftp } = config;
  const ports = { grpc, http, https, tftp };
  const awaited = new Set<ServerName>(config.insecure ? ["grpc", "http"] : ["grpc", "http", "https"]);
  const { promise: boot, resolve } = Promise.withResolvers<BootEndpoints>();
  const reached = (server: ServerName): string => renderEndpoint({ host: config.advertise, port: ports[server] });
  const planned = (): BootEndpoints => ({
    controller: reached("grpc"),
    ...(config.nfs.mode !== "none" &&
      config.nfs.rootfs !== undefined && { nfsRoot: { server: config.advertise, path: config.nfs.rootfs } }),
  });
  return {
    bound(server, port) {
      ports[server] = port;
      awaited.delete(server);
      if (awaited.size === 0) resolve(planned());
    },
    reached,
    listening: (server) => renderEndpoint({ host: config.listen, port: ports[server] }),
    controllers() {
      if (ports.grpc === 0) return [];
      const others = (config.advertiseAlso ?? []).map((text) => parseEndpoint(text, ports.grpc));
      return [{ host: config.advertise, port: ports.grpc }, ...others.filter((each) => each !== undefined)];
    },
    planned,
    boot,
  };
}
