import { isLoopback, isUnspecified } from "../../proto/names/plain-address.ts";
import type { Config } from "../config/config.ts";
import {
  chooseDhcpNetwork,
  type DhcpNetwork,
  describeMissingAddress,
  misfitsOf,
  subnetOf,
} from "../network/dnsmasq/choose-dhcp-network.ts";
import { describeAbsentAddress } from "../network/interface-address.ts";
import {
  formatIpv4Network,
  type Ipv4Network,
  isInNetwork,
  networksOverlap,
  parseIpv4,
  parseIpv4Network,
} from "../network/ipv4.ts";
import type { Facts } from "./facts.ts";
import { ipv4AddressesOf } from "./parse-interfaces.ts";
import type { Problem } from "./problem.ts";

type NetworkFacts = Pick<Facts, "interfaces">;
type NetworkConfig = Pick<Config, "listen" | "advertise" | "dhcp">;

/** What keeps nodes from reaching this machine, or from getting an address. */
export function selectNetworkProblems(config: NetworkConfig, facts: NetworkFacts): readonly Problem[] {
  return [...listenProblems(config, facts), ...interfaceProblems(config, facts)].map((problem) => ({
    part: "network",
    isFatal: false,
    ...problem,
  }));
}

type Found = Pick<Problem, "message" | "remedy"> & { readonly isFatal?: true };

function* listenProblems({ listen, advertise, dhcp }: NetworkConfig, facts: NetworkFacts): Generator<Found> {
  if (isLoopback(listen)) {
    yield {
      message: `listen is ${listen}, where only this machine can reach the controller`,
      remedy: "set listen to this machine's address on the nodes' network",
    };
    return;
  }
  if (isUnspecified(listen)) {
    if (parseIpv4(advertise) === undefined || has(facts, advertise)) return;
    yield { message: describeAbsentAddress(advertise, "advertise"), remedy: giving(advertise, dhcp) };
    return;
  }
  if (has(facts, listen)) return;
  yield { message: describeAbsentAddress(listen, "listen"), remedy: giving(listen, dhcp) };
}

function* interfaceProblems({ dhcp, listen, advertise }: NetworkConfig, facts: NetworkFacts): Generator<Found> {
  const { mode, interface: device } = dhcp;
  if (mode === "none" || device === undefined) return;
  const found = facts.interfaces.find(({ name }) => name === device);
  if (found === undefined) {
    const others = facts.interfaces.map(({ name }) => name).filter((name) => name !== "lo");
    yield {
      message: `there is no network interface ${device} (dhcp.interface)`,
      remedy: `plug it in, or set dhcp.interface to an existing one: ${others.join(", ") || "none"}`,
    };
    return;
  }
  if (!found.isUp) yield { message: `the interface ${device} is down`, remedy: `ip link set ${device} up` };
  else if (!found.hasCarrier)
    yield {
      message: `the interface ${device} has no link`,
      remedy: "plug in its cable, and check that the switch is on",
    };

  const network = chooseDhcpNetwork(dhcp, ipv4AddressesOf(facts.interfaces));
  if (network !== undefined) {
    // The router of a proxied network may well be reached by two interfaces.
    if (mode === "server") yield* twiceProblems(network, facts);
    yield* misfitsOf(dhcp, network).map((misfit) => ({ ...misfit, isFatal: true as const }));
    return;
  }
  const subnet = subnetOf(dhcp);
  const wanted = [listen, advertise].find((each) => isWanted(each, subnet));
  // Already reported for the listen address.
  if (wanted !== undefined && !has(facts, wanted)) return;
  yield {
    message: describeMissingAddress(dhcp),
    remedy:
      wanted === undefined
        ? `give it one: ip addr add ADDRESS/24 dev ${device}`
        : `${wanted} is on ${interfaceOf(wanted, facts)}: move it to ${device}, or set dhcp.interface`,
  };
}

/** An uplink may get the rack's range at any time, from whoever gives out addresses there. */
function* twiceProblems({ own, subnet }: DhcpNetwork, facts: NetworkFacts): Generator<Found> {
  const other = ipv4AddressesOf(facts.interfaces).find(
    (each) => each.interface !== own.interface && networksOverlap(each.network, subnet),
  );
  if (other !== undefined)
    yield {
      message:
        `${other.interface} has ${other.address}, in the network of ${own.interface}, ${formatIpv4Network(subnet)}: ` +
        "what is sent to nodes may leave by the wrong one",
      remedy: `give one of them another network; for ${own.interface}: controller setup apply --address, for example 10.78.0.1/24`,
    };
}

function isWanted(address: string, subnet: Ipv4Network | undefined): boolean {
  const parsed = parseIpv4(address);
  if (parsed === undefined || parsed === 0) return false;
  return subnet === undefined || isInNetwork(subnet, parsed);
}

function interfaceOf(address: string, { interfaces }: NetworkFacts): string | undefined {
  return interfaces.find(({ addresses }) => addresses.some((each) => each.address === address))?.name;
}

function has(facts: NetworkFacts, address: string): boolean {
  return interfaceOf(address, facts) !== undefined;
}

/** How to give an interface an address, now and permanently. */
function giving(address: string, { interface: device = "INTERFACE", subnet }: Config["dhcp"]): string {
  const prefix = address.includes(":") ? 64 : (parseIpv4Network(subnet ?? "")?.prefixLength ?? 24);
  return (
    `ip addr add ${address}/${prefix} dev ${device}; permanently, with systemd-networkd: ` +
    `printf '[Match]\\nName=${device}\\n[Network]\\nAddress=${address}/${prefix}\\nConfigureWithoutCarrier=yes\\n' ` +
    `>/etc/systemd/network/50-pallet.network && systemctl enable --now systemd-networkd`
  );
}
