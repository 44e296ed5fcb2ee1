import { Failure } from "../../../proto/failure.ts";
import { NotYet } from "../../refusal/not-yet.ts";
import { addressOn, describeAddresses, type InterfaceAddress } from "../interface-address.ts";
import { formatIpv4Network, isHostAddress, parseIpv4, parseIpv4Network } from "../ipv4.ts";
import type { DhcpConfig } from "../network-config.ts";
import { chooseOffers, type MachineRole, type Offers } from "./choose-offers.ts";
import { chooseRange } from "./choose-range.ts";
import type { DnsmasqSettings } from "./render-dnsmasq.ts";

/**
 * Completes what the operator said by what this machine's interfaces say, and by what it is for the network. Throws
 * Failure "invalid" where they do not fit together, and NotYet while the interface has no address.
 *
 * @param advertise under which nodes reach this machine; the interface's own address is taken where it is a host name
 */
export function planDnsmasq(
  { dhcp, advertise }: { readonly dhcp: DhcpConfig; readonly advertise: string },
  addresses: readonly InterfaceAddress[],
  machine: MachineRole,
  files: DnsmasqSettings["files"],
): { readonly settings: DnsmasqSettings; readonly offers: Offers } {
  const { mode, interface: device, domain } = dhcp;
  const gateway = dhcp.gateway === "none" ? undefined : dhcp.gateway;
  if (mode === "none" || device === undefined) throw new Failure("invalid", "DHCP is off");
  const given = dhcp.subnet === undefined ? undefined : parseIpv4Network(dhcp.subnet);
  const own = addressOn(addresses, device, given);
  if (own === undefined) {
    const where = given === undefined ? "" : ` in dhcp.subnet ${formatIpv4Network(given)}`;
    throw new NotYet(
      `the interface ${device} (dhcp.interface) has no IPv4 address${where}; give it one ("ip address add … dev ${device}"), ` +
        `or set dhcp.interface to another. This machine has: ${describeAddresses(addresses)}`,
    );
  }
  const subnet = given ?? own.network;
  for (const [key, address] of [...(dhcp.range ?? []).map((each) => ["dhcp.range", each]), ["dhcp.gateway", gateway]]) {
    if (address === undefined || isHostAddress(subnet, parseIpv4(address) ?? 0)) continue;
    throw new Failure(
      "invalid",
      `${key}: ${address} is not a host address in ${formatIpv4Network(subnet)}, the network of ${device}`,
    );
  }
  const range = dhcp.range ?? chooseRange(subnet, [own.address, ...(gateway === undefined ? [] : [gateway])]);
  if (mode === "server" && range === undefined) {
    const network = `${formatIpv4Network(subnet)}, the network of ${device}`;
    throw new Failure("invalid", `${network}, is too small for a range of node addresses; set dhcp.range`);
  }
  const offers = chooseOffers(dhcp, own.address, machine);
  const settings: DnsmasqSettings = {
    mode,
    interface: device,
    address: own.address,
    subnet,
    ...(mode === "server" && range !== undefined && { range }),
    ...("address" in offers.router && { gateway: offers.router.address }),
    leaseSeconds: dhcp.leaseSeconds,
    replyDelaySeconds: dhcp.replyDelaySeconds,
    dns: "servers" in offers.dns ? offers.dns.servers : [],
    ntp: "servers" in offers.time ? offers.time.servers : [],
    ...(offers.relay !== undefined && { relay: offers.relay }),
    ...(domain !== undefined && { domain }),
    tftpServer: parseIpv4(advertise) === undefined ? own.address : advertise,
    files,
  };
  return { settings, offers };
}
