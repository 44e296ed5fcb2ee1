import type { NodeId } from "../../proto/names/node-id.ts";
import { remember } from "../records/remember.ts";
import { type BootFetch, printablePath } from "./boot-fetch.ts";

/** A request for a boot file, as it is kept; see pallet.v1.BootRequest. */
export interface BootRequest {
  /** When it ended, in milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly address: string;
  readonly protocol: string;
  /** As the board spelled it, printable. */
  readonly path: string;
  readonly outcome: BootFetch["outcome"];
  readonly bytes: number;
}

/** The last requests for boot files, in memory. */
export interface RequestLog {
  /** @param id the node, where it is known */
  note(fetch: BootFetch, id: NodeId | undefined, at: number): void;
  /**
   * Those of a node, oldest first: also those from before it had named itself, which came from an address that it has
   * used since. Firmware names itself in few requests, and a board that was never seen in none.
   */
  of(id: NodeId): readonly BootRequest[];
  forget(id: NodeId): void;
}

/** Keeps the last `perAddress` requests of each of `addresses` addresses. */
export function createRequestLog({ perAddress = 500, addresses = 1000 } = {}): RequestLog {
  type Entry = BootRequest & { readonly id: NodeId | undefined };
  const rings = new Map<string, Entry[]>();
  return {
    note({ address, path, requestedPath, protocol, durationMs, outcome, bytes }, id, at) {
      const ring = rings.get(address) ?? [];
      ring.push({
        ...{ at, id, address, outcome, bytes },
        durationMs: durationMs ?? 0,
        protocol: protocol ?? "",
        path: printablePath(requestedPath ?? path),
      });
      if (ring.length > perAddress) ring.shift();
      remember(rings, address, ring, addresses);
    },
    of(id) {
      const own = [...rings.values()].filter((ring) => ring.some((entry) => entry.id === id));
      return own
        .flatMap((ring) => ring.filter((entry) => entry.id === id || entry.id === undefined))
        .sort((a, b) => a.at - b.at)
        .slice(-perAddress)
        .map(({ id: _, ...request }) => request);
    },
    forget(id) {
      for (const [address, ring] of rings) {
        const rest = ring.filter((entry) => entry.id !== id);
        if (rest.length === 0) rings.delete(address);
        else rings.set(address, rest);
      }
    },
  };
}
