import { ControllerMoved as Wire } from "../gen/pallet/v1/agent.ts";
import type { AgentIds } from "../grpc/agent-ids.ts";
import { type Endpoint, parseEndpoint, renderEndpoint } from "../names/endpoint.ts";
import { maxControllers } from "../system/resident-settings.ts";

/** Longest datagram of a ControllerMoved, in bytes: it fits any path without fragments (RFC 8200, section 5). */
const maxBytes = 1_024;

/** A controller's word to one run of an agent about where it lives now; see pallet.v1.ControllerMoved. */
export interface ControllerMoved {
  readonly ids: AgentIds;
  readonly controllers: readonly Endpoint[];
}

/** As many of the addresses as fit, the first ones first. */
export function encodeControllerMoved({ ids, controllers }: ControllerMoved): Uint8Array {
  const encode = (count: number): Uint8Array =>
    Wire.encode({ ...ids, controllers: controllers.slice(0, count).map(renderEndpoint) }).finish();
  let count = Math.min(controllers.length, maxControllers);
  while (count > 0 && encode(count).length > maxBytes) count -= 1;
  return encode(count);
}

/**
 * What a datagram tells the agent with these ids; undefined when it is malformed, meant for another one, or names no
 * address. It may come from anyone.
 */
export function decodeControllerMoved(datagram: Uint8Array, ids: AgentIds): readonly Endpoint[] | undefined {
  if (datagram.length > maxBytes) return undefined;
  const moved = tryDecode(datagram);
  if (moved === undefined || moved.bootId !== ids.bootId || moved.instanceId !== ids.instanceId) return undefined;
  const controllers = moved.controllers.slice(0, maxControllers).map((text) => parseEndpoint(text));
  const known = controllers.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known;
}

function tryDecode(datagram: Uint8Array): Wire | undefined {
  try {
    return Wire.decode(datagram);
  } catch {
    // Noise, as far as this agent is concerned.
    return undefined;
  }
}
