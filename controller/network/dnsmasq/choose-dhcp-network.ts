import { addressOn, type InterfaceAddress } from "../interface-address.ts";
import { formatIpv4Network, type Ipv4Network, isHostAddress, parseIpv4, parseIpv4Network } from "../ipv4.ts";
import type { DhcpConfig } from "../network-config.ts";
import { chooseRange } from "./choose-range.ts";

/** The network of the nodes, as the interface shows it that they are at. */
export interface DhcpNetwork {
  /** This machine's own address there. */
  readonly own: InterfaceAddress;
  readonly subnet: Ipv4Network;
  /** The router that the operator named. */
  readonly gateway?: string;
  /** The addresses to give away: those that the operator named, or some that are free. Absent where none is. */
  readonly range?: readonly [from: string, to: string];
}

/** Something that the operator said and that does not fit the network, and what to do. */
export interface Misfit {
  readonly message: string;
  readonly remedy: string;
}

/** Joins what the operator said and what the interfaces say; undefined while the interface has no such address. */
export function chooseDhcpNetwork(dhcp: DhcpConfig, addresses: readonly InterfaceAddress[]): DhcpNetwork | undefined {
  const given = subnetOf(dhcp);
  const own = dhcp.interface === undefined ? undefined : addressOn(addresses, dhcp.interface, given);
  if (own === undefined) return undefined;
  const subnet = given ?? own.network;
  const gateway = dhcp.gateway === "none" ? undefined : dhcp.gateway;
  const range = dhcp.range ?? chooseRange(subnet, [own.address, ...(gateway === undefined ? [] : [gateway])]);
  return { own, subnet, ...(gateway !== undefined && { gateway }), ...(range !== undefined && { range }) };
}

/** The network that the operator named. */
export function subnetOf({ subnet }: Pick<DhcpConfig, "subnet">): Ipv4Network | undefined {
  return subnet === undefined ? undefined : parseIpv4Network(subnet);
}

/** The error for an interface without an address to serve nodes from. */
export function describeMissingAddress(dhcp: Pick<DhcpConfig, "interface" | "subnet">): string {
  const subnet = subnetOf(dhcp);
  const where = subnet === undefined ? "" : ` in ${formatIpv4Network(subnet)} (dhcp.subnet)`;
  return `the interface ${dhcp.interface} has no IPv4 address${where}`;
}

/** What cannot be served in the network, whatever else the machine is like. */
export function misfitsOf(dhcp: DhcpConfig, { own, subnet, range }: DhcpNetwork): readonly Misfit[] {
  const network = `${formatIpv4Network(subnet)}, the network of ${own.interface}`;
  const misfits = outsidersOf(dhcp, subnet).map(([key, address]) => ({
    message: `${key}: ${address} is not a host address in ${network}`,
    remedy: `set ${key} to addresses in that network, or give ${own.interface} an address in the nodes' network`,
  }));
  if (dhcp.mode !== "server" || range !== undefined) return misfits;
  return [...misfits, { message: `${network}, is too small for a range of node addresses`, remedy: "set dhcp.range" }];
}

/** The addresses that the operator named for hosts in the network, by their keys, and that no host in it can have. */
export function outsidersOf(
  { range, gateway }: Pick<DhcpConfig, "range" | "gateway">,
  subnet: Ipv4Network,
): readonly (readonly [key: "dhcp.range" | "dhcp.gateway", address: string])[] {
  const said = [
    ...(range ?? []).map((address) => ["dhcp.range", address] as const),
    ...(gateway === undefined || gateway === "none" ? [] : [["dhcp.gateway", gateway] as const]),
  ];
  return said.filter(([, address]) => !isHostAddress(subnet, parseIpv4(address) ?? 0));
}
