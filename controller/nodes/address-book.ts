import type { NodeId } from "../../proto/names/node-id.ts";
import { remember } from "../records/remember.ts";

/**
 * Which node used which IP address last. Firmware and boot loaders name themselves in one request of a boot only (the
 * config by MAC); the fetches that follow are told apart by the address that they come from.
 */
export interface AddressBook {
  note(address: string, id: NodeId, at: number): void;
  /** The node that used the address last, unless that was too long ago: DHCP hands addresses on. */
  ownerOf(address: string, at: number): NodeId | undefined;
  forget(id: NodeId): void;
}

/** Remembers at most `capacity` addresses (the oldest go first), each for `rememberMs` milliseconds. */
export function createAddressBook({ rememberMs = 15 * 60_000, capacity = 4096 } = {}): AddressBook {
  const entries = new Map<string, { readonly id: NodeId; readonly at: number }>();
  return {
    note(address, id, at) {
      remember(entries, address, { id, at }, capacity);
    },
    ownerOf(address, at) {
      const entry = entries.get(address);
      return entry !== undefined && Math.abs(at - entry.at) <= rememberMs ? entry.id : undefined;
    },
    forget(id) {
      for (const [address, entry] of entries) if (entry.id === id) entries.delete(address);
    },
  };
}
