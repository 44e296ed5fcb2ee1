import { isUnspecified, plainAddress } from "../../proto/names/plain-address.ts";
import type { Config } from "../config/config.ts";
import { servesDns } from "../network/dnsmasq/choose-offers.ts";
import type { HeldPort } from "./held-port.ts";
import type { Problem } from "./problem.ts";

/** A port that the controller, or what it runs, will open. */
interface WantedPort {
  readonly purpose: string;
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
  /** The alternative to freeing it; absent if only this port will do. */
  readonly instead?: string;
  /** Programs that may hold it as well: they share it. */
  readonly sharedWith?: readonly string[];
}

/** How to stop a program permanently if its systemd unit is unknown. */
const units: Readonly<Record<string, string>> = {
  "ganesha.nfsd": "nfs-ganesha",
  "rpc.mountd": "nfs-server",
  rpcbind: "rpcbind.socket rpcbind",
  dnsmasq: "dnsmasq",
  "systemd-resolve": "systemd-resolved",
  "in.tftpd": "tftpd-hpa",
  atftpd: "atftpd",
  named: "named",
  unbound: "unbound",
  dhcpd: "isc-dhcp-server",
  "kea-dhcp4": "kea-dhcp4-server",
};

/** Ports that the configuration needs and that another program holds, with the command that frees each. */
export function selectPortProblems(
  config: Pick<Config, "listen" | "grpcPort" | "httpPort" | "httpsPort" | "insecure" | "tftpPort" | "dhcp" | "nfs">,
  dhcpAddress: string | undefined,
  held: readonly HeldPort[],
): readonly Problem[] {
  const found = wantedPorts(config, dhcpAddress).flatMap((wanted) => {
    const holder = held.find((each) => isInTheWay(each, wanted));
    return holder === undefined ? [] : [{ wanted, holder }];
  });
  // One program may hold several: one command frees them all.
  const byRemedy = Map.groupBy(found, ({ holder }) => remedyOf(holder));
  return [...byRemedy].map(([remedy, [first, ...others]]) => {
    const { wanted, holder } = first ?? raise();
    const ports = [wanted, ...others.map((each) => each.wanted)];
    const what = ports.map(({ protocol, port, purpose }) => `${protocol} port ${port} (${purpose})`).join(" and ");
    const who = holder.process === undefined ? nameless(holder) : `${holder.process.name} (pid ${holder.process.pid})`;
    const instead = ports.length === 1 && wanted.instead !== undefined ? `, or ${wanted.instead}` : "";
    return {
      part: "ports",
      message: `${who} holds ${what} at ${holder.address}`,
      remedy: `${remedy}${instead}`,
      isFatal: true,
    };
  });
}

function wantedPorts(
  config: Pick<Config, "listen" | "grpcPort" | "httpPort" | "httpsPort" | "insecure" | "tftpPort" | "dhcp" | "nfs">,
  dhcpAddress: string | undefined,
): readonly WantedPort[] {
  const { listen: address, dhcp, nfs } = config;
  const own: WantedPort[] = [
    { purpose: "gRPC", protocol: "TCP", address, port: config.grpcPort, instead: "set grpcPort to another" },
    { purpose: "HTTP", protocol: "TCP", address, port: config.httpPort, instead: "set httpPort to another" },
    ...(config.insecure
      ? []
      : [
          {
            purpose: "HTTPS",
            protocol: "TCP",
            address,
            port: config.httpsPort,
            instead: "set httpsPort to another",
          } as const,
        ]),
    { purpose: "TFTP", protocol: "UDP", address, port: config.tftpPort },
  ];
  // Two dnsmasq live side by side where each is bound to its own interface.
  const shared = { sharedWith: ["dnsmasq"] };
  if (dhcp.mode !== "none") own.push({ purpose: "DHCP", protocol: "UDP", address: "0.0.0.0", port: 67, ...shared });
  if (dhcpAddress !== undefined && servesDns(dhcp)) {
    const instead = "set dhcp.dns to the servers that nodes should use";
    own.push({ purpose: "DNS", protocol: "UDP", address: dhcpAddress, port: 53, instead });
  }
  if (nfs.mode === "ganesha") {
    own.push({ purpose: "NFS", protocol: "TCP", address: "0.0.0.0", port: 2049 });
    own.push({ purpose: "NFS mounts", protocol: "TCP", address: "0.0.0.0", port: 20_048 });
  }
  return own.filter(({ port }) => port !== 0);
}

function isInTheWay(held: HeldPort, wanted: WantedPort): boolean {
  if (held.protocol !== wanted.protocol || held.port !== wanted.port) return false;
  if (held.process !== undefined && wanted.sharedWith?.includes(held.process.name)) return false;
  return held.address === plainAddress(wanted.address) || isUnspecified(held.address) || isUnspecified(wanted.address);
}

/** A socket without a process is the kernel's own, as its NFS server has one. */
function nameless({ port }: HeldPort): string {
  return port === 2049 ? "the kernel's NFS server (nfsd)" : "the kernel, or a program that only root can see,";
}

function remedyOf({ process, port, protocol }: HeldPort): string {
  if (process === undefined) {
    if (port === 2049) return "systemctl disable --now nfs-server";
    return `${protocol === "TCP" ? "ss -ltnp" : "ss -lunp"} shows which (as root); stop it`;
  }
  const unit = process.unit?.replace(/\.service$/, "") ?? units[process.name];
  // A service that a user started by hand belongs to the unit of the login.
  if (unit === undefined || /^(user@|session|getty@|ssh)/.test(unit)) return `kill ${process.pid}`;
  return `systemctl disable --now ${unit}`;
}

function raise(): never {
  throw new Error("a group without a member");
}
