import { isUnspecified } from "../../../proto/names/plain-address.ts";
import type { DhcpConfig } from "../network-config.ts";

/** This machine's role in the network. */
export interface MachineRole {
  /** Whether it forwards packets between its interfaces (net.ipv4.ip_forward). */
  readonly forwards: boolean;
  /** Interface of its own default route; absent where it has none. */
  readonly wayOut?: string;
  /** Servers that /etc/resolv.conf names. */
  readonly nameServers: readonly string[];
  /** Addresses at which a program waits at UDP port 123, that of NTP (RFC 5905). */
  readonly timeAddresses: readonly string[];
}

/** What nodes are offered besides their addresses. Each `none` says why there is nothing. */
export interface Offers {
  readonly router: { readonly address: string } | { readonly none: string };
  readonly time: { readonly servers: readonly string[] } | { readonly none: string };
  readonly dns: { readonly servers: readonly string[] } | { readonly none: string };
  /**
   * Whom this machine's own DNS asks: those of /etc/resolv.conf, whatever they are at the time; absent where it has
   * none.
   */
  readonly relay?: "resolv.conf" | readonly string[];
}

/** Whether this machine answers DNS for the nodes: unless they get other servers, or it has no upstream. */
export function servesDns({ mode, dns, dnsUpstream }: Pick<DhcpConfig, "mode" | "dns" | "dnsUpstream">): boolean {
  if (mode !== "server") return dnsUpstream !== undefined && dnsUpstream.length > 0;
  return dnsUpstream === undefined ? dns.length === 0 : dnsUpstream.length > 0;
}

/**
 * Decides what nodes are offered: what the operator configured, otherwise whatever this machine can provide.
 *
 * @param own this machine's address in the nodes' network
 */
export function chooseOffers(dhcp: DhcpConfig, own: string, machine: MachineRole): Offers {
  const relays = servesDns(dhcp);
  return {
    router: chooseRouter(dhcp, own, machine),
    time: chooseTime(dhcp, own, machine),
    dns:
      dhcp.dns.length > 0
        ? { servers: dhcp.dns }
        : relays
          ? { servers: [own] }
          : { none: "dhcp.dnsUpstream is empty, and dhcp.dns too" },
    ...(relays && { relay: dhcp.dnsUpstream ?? "resolv.conf" }),
  };
}

function chooseRouter({ gateway, interface: device }: DhcpConfig, own: string, machine: MachineRole): Offers["router"] {
  if (gateway === "none") return { none: "dhcp.gateway is none" };
  if (gateway !== undefined) return { address: gateway };
  if (!machine.forwards) return { none: "this machine does not forward (net.ipv4.ip_forward is 0)" };
  if (machine.wayOut === undefined) return { none: "this machine has no default route" };
  if (machine.wayOut === device)
    return { none: `this machine's own router is on ${device} too: set dhcp.gateway to it` };
  return { address: own };
}

function chooseTime({ ntp }: DhcpConfig, own: string, machine: MachineRole): Offers["time"] {
  if (ntp !== undefined) return ntp.length > 0 ? { servers: ntp } : { none: "dhcp.ntp is empty" };
  const serves = machine.timeAddresses.some((address) => address === own || isUnspecified(address));
  return serves ? { servers: [own] } : { none: "nothing on this machine serves it (UDP port 123)" };
}
