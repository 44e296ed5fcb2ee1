import { Failure } from "../../../proto/failure.ts";
import { NotYet } from "../../refusal/not-yet.ts";
import { describeAddresses, type InterfaceAddress } from "../interface-address.ts";
import { parseIpv4 } from "../ipv4.ts";
import type { DhcpConfig } from "../network-config.ts";
import { chooseDhcpNetwork, describeMissingAddress, misfitsOf } from "./choose-dhcp-network.ts";
import { chooseOffers, type MachineRole, type Offers } from "./choose-offers.ts";
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
  if (mode === "none" || device === undefined) throw new Failure("invalid", "DHCP is off");
  const network = chooseDhcpNetwork(dhcp, addresses);
  if (network === undefined) {
    throw new NotYet(
      `${describeMissingAddress(dhcp)}; give it one ("ip address add … dev ${device}"), ` +
        `or set dhcp.interface to another. This machine has: ${describeAddresses(addresses)}`,
    );
  }
  const [misfit] = misfitsOf(dhcp, network);
  if (misfit !== undefined) throw new Failure("invalid", `${misfit.message}; ${misfit.remedy}`);
  const { own, subnet, range } = network;
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
