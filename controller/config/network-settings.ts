import { z } from "zod";
import { parseIpv4Network } from "../network/ipv4.ts";
import { type DhcpMode, dhcpModes, type NfsMode, nfsModes } from "../network/network-config.ts";
import type { Setting } from "./setting.ts";

const interfaceName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;
const domainName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** Characters that need no quoting in exports(5) or on a kernel command line. */
const exportPath = /^\/[A-Za-z0-9_.+/-]+$/;

const ipv4Network = z.string().refine((value) => parseIpv4Network(value) !== undefined);
const addresses = z.array(z.ipv4()).max(8);
const wantsNetwork = 'a network such as "10.77.0.0/24"';
const wantsAddresses = 'a list of at most 8 IPv4 addresses, such as ["192.0.2.53"]';

/** Settings of what the controller runs for the nodes' network besides itself: DHCP and DNS by dnsmasq, NFS. */
export const networkSettings = {
  dhcpMode: {
    key: "dhcp.mode",
    kind: "text",
    schema: z.enum(dhcpModes) as z.ZodType<DhcpMode>,
    fallback: "none",
    wants: `one of ${dhcpModes.join(", ")}`,
    about:
      "server: this machine gives the nodes their addresses. proxy: another DHCP server does, and this machine adds what network boot needs. none: another server does both.",
  },
  dhcpInterface: {
    key: "dhcp.interface",
    kind: "text",
    schema: z.string().regex(interfaceName).optional(),
    fallback: undefined,
    fallbackWords: "none; required unless dhcp.mode is none",
    wants: 'the name of a network interface, such as "eth0"',
    about: "Network interface that the nodes are on. DHCP and DNS are served only there.",
  },
  dhcpSubnet: {
    key: "dhcp.subnet",
    kind: "text",
    schema: ipv4Network.optional(),
    fallback: undefined,
    fallbackWords: "that of the interface's IPv4 address",
    wants: wantsNetwork,
    about: "Network of the nodes.",
  },
  dhcpRange: {
    key: "dhcp.range",
    kind: "words",
    schema: z.tuple([z.ipv4(), z.ipv4()]).optional(),
    fallback: undefined,
    fallbackWords: "the upper half of the network, except its last address, this machine's and the gateway's",
    wants: 'the first and the last address, such as ["10.77.0.100", "10.77.0.250"]',
    about: "First and last address to lease.",
  },
  dhcpGateway: {
    key: "dhcp.gateway",
    kind: "text",
    schema: z.ipv4().or(z.literal("none")).optional(),
    fallback: undefined,
    fallbackWords:
      "this machine, if it forwards (net.ipv4.ip_forward) and its own default route uses another interface; otherwise none",
    wants: "an IPv4 address, or none",
    about: "Default router for the nodes. Without one they can reach only their own network.",
  },
  dhcpLeaseSeconds: {
    key: "dhcp.leaseSeconds",
    kind: "integer",
    // dnsmasq(8): two minutes at least.
    schema: z.int().min(120).max(31_536_000),
    fallback: 43_200,
    wants: "a number of seconds from 120 to 31536000 (a year)",
    about: "Lease time of an address. A known node always gets its previous address, however long it was away.",
  },
  dhcpReplyDelaySeconds: {
    key: "dhcp.replyDelaySeconds",
    kind: "integer",
    schema: z.int().min(0).max(10),
    fallback: 2,
    wants: "a number of seconds from 0 to 10",
    about:
      "Delay before network boot ROMs get their offer: a Raspberry Pi 3 that gets it at once may hang. Other clients are not delayed.",
  },
  dhcpDns: {
    key: "dhcp.dns",
    kind: "words",
    schema: addresses,
    fallback: [],
    fallbackWords: "this machine, which forwards queries",
    wants: wantsAddresses,
    about: "DNS servers for the nodes.",
  },
  dhcpDnsUpstream: {
    key: "dhcp.dnsUpstream",
    kind: "words",
    schema: addresses.optional(),
    fallback: undefined,
    fallbackWords: "those in /etc/resolv.conf, unless dhcp.dns names others for the nodes",
    wants: `${wantsAddresses}, or [] to serve no DNS here`,
    about: "DNS servers that this machine forwards the nodes' queries to. It answers queries for node names itself.",
  },
  dhcpNtp: {
    key: "dhcp.ntp",
    kind: "words",
    schema: addresses.optional(),
    fallback: undefined,
    fallbackWords: "this machine, if a program on it serves time (UDP port 123); otherwise none",
    wants: `${wantsAddresses}, or [] for none`,
    about: "Time servers (NTP) for the nodes.",
  },
  dhcpDomain: {
    key: "dhcp.domain",
    kind: "text",
    schema: z.string().max(253).regex(domainName).optional(),
    fallback: undefined,
    fallbackWords: "none",
    wants: 'a domain name in lower case, such as "rack.example"',
    about: "Domain of the nodes' names.",
  },
  nfsMode: {
    key: "nfs.mode",
    kind: "text",
    schema: z.enum(nfsModes) as z.ZodType<NfsMode>,
    fallback: "none",
    wants: `one of ${nfsModes.join(", ")}`,
    about:
      "What exports the agent's root filesystem, read-only: the kernel's NFS server, nfs-ganesha, or nothing on this machine.",
  },
  nfsRootfs: {
    key: "nfs.rootfs",
    kind: "path",
    schema: z
      .string()
      .regex(exportPath)
      .or(z.string().regex(/^[A-Za-z0-9_.+/-]+$/))
      .optional(),
    fallback: undefined,
    fallbackWords: "rootfs in stateDirectory, where controller rootfs build writes it",
    wants: "the path of a folder, of letters, digits and _ . + / -",
    about:
      'Where netbooted nodes have their root filesystem: the output of "controller rootfs build", "import" or "bake --out", with all its versions; or a root filesystem of your own, which has none.',
  },
  nfsClients: {
    key: "nfs.clients",
    kind: "text",
    schema: ipv4Network.optional(),
    fallback: undefined,
    fallbackWords: "the network of the interface that has the advertised address",
    wants: wantsNetwork,
    about: "Network that may mount it.",
  },
} as const satisfies Record<string, Setting<unknown>>;
