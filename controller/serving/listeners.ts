import type { Config } from "../config/config.ts";
import { type Listener, listenFailure } from "../network/listen-failure.ts";

/** Opens something at a listener's place. Throws a Failure that says why it is unavailable there. */
export async function listen<T>(listener: Listener, open: (address: string, port: number) => Promise<T>): Promise<T> {
  try {
    return await open(listener.address, listener.port);
  } catch (error) {
    throw listenFailure(listener, error);
  }
}

export function httpsListener({ listen: address, httpsPort: port }: Config): Listener {
  return { name: "HTTPS", protocol: "TCP", address, port, setting: "httpsPort", flag: "--https-port" };
}

export function httpListener({ listen: address, httpPort: port }: Config): Listener {
  return { name: "HTTP", protocol: "TCP", address, port, setting: "httpPort", flag: "--http-port" };
}

export function grpcListener({ listen: address, grpcPort: port }: Config): Listener {
  return { name: "gRPC", protocol: "TCP", address, port, setting: "grpcPort", flag: "--grpc-port" };
}

export function tftpListener({ listen: address, tftpPort: port }: Config): Listener {
  return { name: "TFTP", protocol: "UDP", address, port, setting: "tftpPort", flag: "--tftp-port" };
}
