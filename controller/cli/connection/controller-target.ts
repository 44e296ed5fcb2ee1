import { parseEndpoint } from "../../../proto/names/endpoint.ts";
import { UsageError } from "./command-context.ts";

/** The options that say where the controller is. */
export interface TargetOptions {
  readonly socket?: string;
  readonly address?: string;
}

const defaultSocket = "/run/pallet/controller.sock";

/**
 * The gRPC target of the controller: `--socket` or `--address` if given, else PALLET_ADDRESS, PALLET_SOCKET, or the
 * socket where `controller serve` listens by default.
 */
export function chooseTarget(options: TargetOptions, env: Readonly<Record<string, string | undefined>>): string {
  const address = options.address ?? (options.socket === undefined ? env["PALLET_ADDRESS"] || undefined : undefined);
  if (address !== undefined) {
    // gRPC would read other forms as names with a URI scheme, which nobody means here.
    if (parseEndpoint(address) === undefined)
      throw new UsageError(`"${address}" is not HOST:PORT, for example 10.77.0.1:7700 or [fd00::1]:7700`);
    return address;
  }
  return `unix:${options.socket ?? (env["PALLET_SOCKET"] || defaultSocket)}`;
}
