import type { Random } from "./random.ts";

/** What has a MAC address, and an address while it is up. */
export interface Host {
  readonly name: string;
  readonly mac: string;
}

/** The network of the nodes: who has which address now. DHCP hands addresses on. */
export interface Network {
  /** DHCP: the address for the host from now on; undefined while all are used. */
  lease(host: Host): string | undefined;
  /** It is off the network. */
  leave(host: Host): void;
  hostAt(address: string): Host | undefined;
  addressOf(host: Host): string | undefined;
  /** The server forgets its leases: whoever asks next may get any address that nobody uses. */
  forgetLeases(): void;
  /** The host will get this address, if nobody uses it then. */
  reserve(host: Host, address: string): void;
}

/** @param count how many addresses there are: a few more than hosts, so that they are used again */
export function createNetwork(random: Random, count: number): Network {
  const pool = Array.from({ length: count }, (_, index) => `10.0.0.${index + 100}`);
  const occupied = new Map<string, Host>();
  const leases = new Map<string, string>();
  const isFree = (address: string): boolean => !occupied.has(address);
  const addressOf = (host: Host): string | undefined => [...occupied].find(([, each]) => each === host)?.[0];

  function choose(host: Host): string | undefined {
    const before = leases.get(host.mac);
    if (before !== undefined && isFree(before)) return before;
    const free = pool.filter(isFree);
    if (free.length === 0) return undefined;
    // Nobody's lease first, as servers do.
    const unleased = free.filter((address) => ![...leases.values()].includes(address));
    return random.pick(unleased.length > 0 ? unleased : free);
  }

  return {
    lease(host) {
      const now = addressOf(host);
      if (now !== undefined) return now;
      const address = choose(host);
      if (address === undefined) return undefined;
      for (const [mac, leased] of leases) if (leased === address) leases.delete(mac);
      leases.set(host.mac, address);
      occupied.set(address, host);
      return address;
    },
    leave(host) {
      for (const [address, each] of occupied) if (each === host) occupied.delete(address);
    },
    hostAt: (address) => occupied.get(address),
    addressOf,
    forgetLeases: () => leases.clear(),
    reserve(host, address) {
      for (const [mac, leased] of leases) if (leased === address) leases.delete(mac);
      leases.set(host.mac, address);
    },
  };
}
