import { isLoopback } from "../../proto/names/plain-address.ts";
import { outsidersOf, subnetOf } from "../network/dnsmasq/choose-dhcp-network.ts";
import { parseIpv4 } from "../network/ipv4.ts";
import type { Config } from "./config.ts";

/** The key to blame, and a sentence. */
export type Problem = readonly [key: string, problem: string];

/** Contradictions between network settings. */
export function* networkContradictions(config: Pick<Config, "advertise" | "dhcp" | "nfs">): Generator<Problem> {
  for (const key of ["dhcp.mode", "nfs.mode"] as const) {
    const mode = key === "dhcp.mode" ? config.dhcp.mode : config.nfs.mode;
    if (mode === "none" || !isLoopback(config.advertise)) continue;
    yield [
      key,
      `${key} is ${mode}, but nodes cannot reach this machine at ${config.advertise}; set listen to its address on their network`,
    ];
  }
  if (config.dhcp.mode !== "none") yield* dhcpContradictions(config);
  if (config.nfs.mode !== "none") yield* nfsContradictions(config);
}

function* dhcpContradictions({ dhcp }: Pick<Config, "dhcp">): Generator<Problem> {
  const { mode, range } = dhcp;
  if (dhcp.interface === undefined) {
    yield [
      "dhcp.mode",
      `dhcp.mode is ${mode}, so dhcp.interface must name the network interface that the nodes are on`,
    ];
  }
  const [from = 0, to = 0] = (range ?? []).map((address) => parseIpv4(address) ?? 0);
  if (from > to) yield ["dhcp.range", "dhcp.range ends before it starts; give the lower address first"];
  const subnet = subnetOf(dhcp);
  if (subnet === undefined) return;
  for (const [key, address] of outsidersOf(dhcp, subnet)) {
    yield [key, `${address} is not a host address in dhcp.subnet, ${dhcp.subnet}`];
  }
}

function* nfsContradictions({ nfs, advertise }: Pick<Config, "nfs" | "advertise">): Generator<Problem> {
  const { mode, rootfs } = nfs;
  if (rootfs !== undefined && !/^\/[A-Za-z0-9_.+/-]+$/.test(rootfs)) {
    yield [
      "nfs.rootfs",
      `nfs.rootfs, ${JSON.stringify(rootfs)}, has a character that cannot go on a kernel command line; move it to a path of letters, digits and _ . + / -`,
    ];
  } else if (mode === "ganesha" && /^\/(run|var\/run)(\/|$)/.test(rootfs ?? "")) {
    yield ["nfs.rootfs", "nfs.rootfs is in /run, but nfs-ganesha runs with a private /run; move it elsewhere"];
  }
  if (parseIpv4(advertise) === undefined) {
    yield [
      "nfs.mode",
      `nfs.mode is ${mode}, and nodes can only mount their root filesystem from an IPv4 address, but advertise is ${advertise}; set advertise to this machine's IPv4 address`,
    ];
  }
}
