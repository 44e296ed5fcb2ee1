import type { Config } from "../config/config.ts";
import { chooseRange } from "../network/dnsmasq/choose-range.ts";
import { addressOn, type InterfaceAddress } from "../network/interface-address.ts";
import {
  formatIpv4Network,
  type Ipv4Network,
  isHostAddress,
  isInNetwork,
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
  if (/^(127\.|::1$)/.test(listen)) {
    yield {
      message: `listen is ${listen}, where only this machine can reach the controller`,
      remedy: "set listen to this machine's address on the nodes' network",
    };
    return;
  }
  if (["0.0.0.0", "::"].includes(listen)) {
    if (parseIpv4(advertise) === undefined || has(facts, advertise)) return;
    yield {
      message: `no interface of this machine has the address ${advertise} (advertise)`,
      remedy: giving(advertise, dhcp),
    };
    return;
  }
  if (has(facts, listen)) return;
  yield { message: `no interface of this machine has the address ${listen} (listen)`, remedy: giving(listen, dhcp) };
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

  const subnet = dhcp.subnet === undefined ? undefined : parseIpv4Network(dhcp.subnet);
  const own = addressOn(ipv4AddressesOf(facts.interfaces), device, subnet);
  if (own === undefined) {
    const wanted = [listen, advertise].find((each) => isWanted(each, subnet));
    // Told already, of the address to listen on.
    if (wanted !== undefined && !has(facts, wanted)) return;
    const where = subnet === undefined ? "" : ` in ${formatIpv4Network(subnet)} (dhcp.subnet)`;
    yield {
      message: `the interface ${device} has no IPv4 address${where}`,
      remedy:
        wanted === undefined
          ? `give it one: ip addr add ADDRESS/24 dev ${device}`
          : `${wanted} is on ${interfaceOf(wanted, facts)}: move it to ${device}, or set dhcp.interface`,
    };
    return;
  }
  yield* rangeProblems(dhcp, own, subnet ?? own.network);
}

function* rangeProblems(
  { mode, range, gateway }: Config["dhcp"],
  own: InterfaceAddress,
  subnet: Ipv4Network,
): Generator<Found> {
  const said = [...(range ?? []).map((each) => ["dhcp.range", each] as const), ["dhcp.gateway", gateway] as const];
  for (const [key, address] of said) {
    if (address === undefined || address === "none" || isHostAddress(subnet, parseIpv4(address) ?? 0)) continue;
    yield {
      message: `${key}: ${address} is not a host address in ${formatIpv4Network(subnet)}, the network of ${own.interface}`,
      remedy: `set ${key} to addresses in that network, or give ${own.interface} an address in the nodes' network`,
      isFatal: true,
    };
  }
  if (mode !== "server" || range !== undefined) return;
  if (
    chooseRange(subnet, [own.address, ...(gateway === undefined || gateway === "none" ? [] : [gateway])]) !== undefined
  )
    return;
  yield {
    message: `${formatIpv4Network(subnet)}, the network of ${own.interface}, is too small for a range of node addresses`,
    remedy: "set dhcp.range",
    isFatal: true,
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

/** How to give an interface an address, now and for good. */
function giving(address: string, { interface: device = "INTERFACE", subnet }: Config["dhcp"]): string {
  const prefix = address.includes(":") ? 64 : (parseIpv4Network(subnet ?? "")?.prefixLength ?? 24);
  return (
    `ip addr add ${address}/${prefix} dev ${device}; permanently, with systemd-networkd: ` +
    `printf '[Match]\\nName=${device}\\n[Network]\\nAddress=${address}/${prefix}\\nConfigureWithoutCarrier=yes\\n' ` +
    `>/etc/systemd/network/50-pallet.network && systemctl enable --now systemd-networkd`
  );
}
