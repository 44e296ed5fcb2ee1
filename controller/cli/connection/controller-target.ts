import { defaultControllerPort, parseEndpoint, renderEndpoint } from "../../../proto/names/endpoint.ts";
import { UsageError } from "./command-context.ts";
import type { Target } from "./effects.ts";

/** The options that say where the controller is. */
export interface TargetOptions {
  readonly socket?: string;
  readonly server?: string;
  readonly bundle?: string;
}

/** Where `controller serve` listens, and where commands look for it, unless told otherwise. */
export const defaultSocket = "/run/pallet/controller.sock";

/**
 * The controller that is meant: `--socket`, or `--server` with `--bundle`, if given; else what PALLET_SERVER,
 * PALLET_BUNDLE and PALLET_SOCKET say, or the socket where `controller serve` listens by default.
 */
export function chooseTarget(options: TargetOptions, env: Readonly<Record<string, string | undefined>>): Target {
  const server = options.server ?? (options.socket === undefined ? env["PALLET_SERVER"] || undefined : undefined);
  if (server !== undefined) {
    // gRPC would read other forms as names with a URI scheme, which nobody means here.
    const endpoint = parseEndpoint(server, defaultControllerPort);
    if (endpoint === undefined)
      throw new UsageError(`"${server}" is not HOST or HOST:PORT, for example 10.77.0.1 or [fd00::1]:7700`);
    const bundle = options.bundle ?? (env["PALLET_BUNDLE"] || undefined);
    return { name: renderEndpoint(endpoint), ...(bundle !== undefined && { bundle }) };
  }
  if (options.bundle !== undefined)
    throw new UsageError("--bundle is for a controller elsewhere: say where, with --server HOST");
  return { name: `unix:${options.socket ?? (env["PALLET_SOCKET"] || defaultSocket)}` };
}
