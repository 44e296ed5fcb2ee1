import { Failure } from "../../../proto/failure.ts";
import type { DhcpConfig } from "../../config/network-config.ts";
import { addressOn, describeAddresses, type InterfaceAddress } from "../interface-address.ts";
import { formatIpv4Network, isHostAddress, parseIpv4, parseIpv4Network } from "../ipv4.ts";
import type { DnsmasqSettings } from "./render-dnsmasq.ts";

/**
 * Completes what the operator said by what this machine's interfaces say. Throws Failure "invalid" where the two do not
 * fit together.
 *
 * @param advertise under which nodes reach this machine; the interface's own address is taken where it is a host name
 */
export function planDnsmasq(
  { dhcp, advertise }: { readonly dhcp: DhcpConfig; readonly advertise: string },
  addresses: readonly InterfaceAddress[],
  files: DnsmasqSettings["files"],
): DnsmasqSettings {
  const { mode, interface: device, range, gateway, domain } = dhcp;
  if (mode === "none" || device === undefined) throw new Failure("invalid", "DHCP is off");
  const given = dhcp.subnet === undefined ? undefined : parseIpv4Network(dhcp.subnet);
  const own = addressOn(addresses, device, given);
  if (own === undefined) {
    const where = given === undefined ? "" : ` in dhcp.subnet ${formatIpv4Network(given)}`;
    throw new Failure(
      "invalid",
      `cannot serve DHCP: the interface ${device} (dhcp.interface) has no IPv4 address${where}; give it one ("ip address add … dev ${device}"), ` +
        `or set dhcp.interface to another. This machine has: ${describeAddresses(addresses)}`,
    );
  }
  const subnet = given ?? own.network;
  for (const [key, address] of [...(range ?? []).map((each) => ["dhcp.range", each]), ["dhcp.gateway", gateway]]) {
    if (address === undefined || isHostAddress(subnet, parseIpv4(address) ?? 0)) continue;
    throw new Failure(
      "invalid",
      `${key}: ${address} is no address of a machine in ${formatIpv4Network(subnet)}, the network of ${device}`,
    );
  }
  return {
    mode,
    interface: device,
    address: own.address,
    subnet,
    ...(range !== undefined && { range }),
    ...(gateway !== undefined && { gateway }),
    leaseSeconds: dhcp.leaseSeconds,
    replyDelaySeconds: dhcp.replyDelaySeconds,
    dns: dhcp.dns,
    dnsUpstream: dhcp.dnsUpstream,
    ...(domain !== undefined && { domain }),
    tftpServer: parseIpv4(advertise) === undefined ? own.address : advertise,
    files,
  };
}
