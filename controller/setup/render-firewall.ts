import type { Config } from "../config/config.ts";
import { servesDns } from "../network/dnsmasq/choose-offers.ts";
import { formatIpv4Network } from "../network/ipv4.ts";
import { rackName, type SetupChoice } from "./setup-choice.ts";

/** The table that is ours, of family inet. */
export const firewallTable = "pallet";

/** Where mounts are asked for, which NFS leaves to choice (render-ganesha.ts has the same). */
export const mountPort = 20_048;

/** NFS, its portmapper and its mounts. */
const nfsPorts = [111, 2049, mountPort];

/**
 * The rules for nftables (nft(8)), as one table that replaces itself in one step and leaves all others alone. It judges
 * the rack's interface only.
 */
export function renderFirewall(
  { uplink, network }: Pick<SetupChoice, "uplink" | "network">,
  config: Pick<Config, "grpcPort" | "httpPort" | "httpsPort" | "insecure" | "tftpPort" | "dhcp" | "nfs">,
): readonly string[] {
  const dns = servesDns(config.dhcp) ? [53] : [];
  const nfs = config.nfs.mode === "none" ? [] : nfsPorts;
  const https = config.insecure ? [] : [config.httpsPort];
  const dhcp = config.dhcp.mode === "none" ? [] : [67, ...(config.dhcp.mode === "proxy" ? [4011] : [])];
  const tcp = [...dns, ...nfs, config.grpcPort, config.httpPort, ...https];
  const udp = [...dns, ...dhcp, config.tftpPort, 123, ...(nfs.length > 0 ? [111] : [])];
  const rack = JSON.stringify(rackName);
  return [
    // nft(8): only what exists can be deleted.
    `table inet ${firewallTable}`,
    `delete table inet ${firewallTable}`,
    `table inet ${firewallTable} {`,
    "  chain input {",
    "    type filter hook input priority filter; policy accept;",
    `    iifname != ${rack} accept`,
    "    ct state established,related accept",
    "    icmp type echo-request accept",
    "    icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept",
    `    tcp dport ${set(tcp)} accept`,
    `    udp dport ${set(udp)} accept`,
    "    counter drop",
    "  }",
    "  chain forward {",
    "    type filter hook forward priority filter; policy accept;",
    ...(uplink === undefined
      ? []
      : [
          `    iifname ${rack} oifname ${JSON.stringify(uplink)} ip saddr ${formatIpv4Network(network)} accept`,
          `    iifname ${JSON.stringify(uplink)} oifname ${rack} ct state established,related accept`,
        ]),
    `    iifname ${rack} counter drop`,
    `    oifname ${rack} counter drop`,
    "  }",
    ...(uplink === undefined
      ? []
      : [
          "  chain postrouting {",
          "    type nat hook postrouting priority srcnat; policy accept;",
          `    oifname ${JSON.stringify(uplink)} ip saddr ${formatIpv4Network(network)} masquerade`,
          "  }",
        ]),
    "}",
  ];
}

function set(ports: readonly number[]): string {
  return `{ ${[...new Set(ports)].toSorted((one, other) => one - other).join(", ")} }`;
}
