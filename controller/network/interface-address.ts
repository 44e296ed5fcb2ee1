import { formatIpv4Network, type Ipv4Network, isInNetwork, parseIpv4, parseIpv4Network } from "./ipv4.ts";

/** An IPv4 address of one of this machine's network interfaces. */
export interface InterfaceAddress {
  readonly interface: string;
  /** Dotted decimal. */
  readonly address: string;
  /** The network that is reached there. */
  readonly network: Ipv4Network;
}

/** The interface's address in the subnet, or its first one where no subnet is given. */
export function addressOn(
  addresses: readonly InterfaceAddress[],
  interfaceName: string,
  subnet?: Ipv4Network,
): InterfaceAddress | undefined {
  return addresses.find(
    (each) =>
      each.interface === interfaceName && (subnet === undefined || isInNetwork(subnet, parseIpv4(each.address) ?? 0)),
  );
}

/** The network of this machine's interface that has the address. */
export function networkOf(addresses: readonly InterfaceAddress[], address: string): Ipv4Network | undefined {
  return addresses.find((each) => each.address === address)?.network;
}

/** The error for a configured address that is not this machine's, which may change once a cable is plugged in. */
export function describeAbsentAddress(address: string, setting: "listen" | "advertise"): string {
  return `no interface of this machine has the address ${address} (${setting})`;
}

/** One address, as a network of its own. */
export function hostNetwork(address: string): Ipv4Network | undefined {
  return parseIpv4Network(`${address}/32`);
}

/** For a person: "eth0 10.77.0.1/24". */
export function describeAddresses(addresses: readonly InterfaceAddress[]): string {
  const words = addresses.map((each) => `${each.interface} ${each.address} in ${formatIpv4Network(each.network)}`);
  return words.length === 0 ? "none" : words.join(", ");
}
