import { z } from "zod";
import { parseIpv4Network } from "../network/ipv4.ts";
import { type DhcpMode, dhcpModes, type NfsMode, nfsModes } from "../network/network-config.ts";
import type { Setting } from "./setting.ts";

const interfaceName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;
const domainName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** What both exports(5) and a kernel command line carry as it is. */
const exportPath = /^\/[A-Za-z0-9_.+/-]+$/;

const ipv4Network = z.string().refine((value) => parseIpv4Network(value) !== undefined);
const addresses = z.array(z.ipv4()).max(8);
const wantsNetwork = 'a network as "10.77.0.0/24"';
const wantsAddresses = 'a list of at most 8 IPv4 addresses, as ["192.0.2.53"]';

/** Settings of what the controller runs for the nodes' network besides itself: DHCP and DNS by dnsmasq, NFS. */
export const networkSettings = {
  dhcpMode: {
    key: "dhcp.mode",
    kind: "text",
    schema: z.enum(dhcpModes) as z.ZodType<DhcpMode>,
    fallback: "none",
    wants: `one of ${dhcpModes.join(", ")}`,
    about:
      "server: this machine gives the nodes their addresses. proxy: another DHCP server does, this one adds what network boot needs. none: all of it comes from elsewhere.",
  },
  dhcpInterface: {
    key: "dhcp.interface",
    kind: "text",
    schema: z.string().regex(interfaceName).optional(),
    fallback: undefined,
    fallbackWords: "none; needed unless dhcp.mode is none",
    wants: 'the name of a network interface, as "eth0"',
    about: "Network interface that the nodes are behind. DHCP and DNS are served there and nowhere else.",
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
    fallbackWords: "the upper half of the network, without its last address, this machine's and the gateway's",
    wants: 'the first and the last address, as ["10.77.0.100", "10.77.0.250"]',
    about: "Addresses to give away, first and last.",
  },
  dhcpGateway: {
    key: "dhcp.gateway",
    kind: "text",
    schema: z.ipv4().or(z.literal("none")).optional(),
    fallback: undefined,
    fallbackWords:
      "this machine where it forwards (net.ipv4.ip_forward) and its own way out is another interface; otherwise none",
    wants: "an IPv4 address, or none",
    about: "Router that the nodes are told. Without one they reach their own network only.",
  },
  dhcpLeaseSeconds: {
    key: "dhcp.leaseSeconds",
    kind: "integer",
    // dnsmasq(8): two minutes at least.
    schema: z.int().min(120).max(31_536_000),
    fallback: 43_200,
    wants: "a number of seconds from 120 to 31536000 (a year)",
    about: "How long an address is given for. A known node gets the one that it had, however long it was away.",
  },
  dhcpReplyDelaySeconds: {
    key: "dhcp.replyDelaySeconds",
    kind: "integer",
    schema: z.int().min(0).max(10),
    fallback: 2,
    wants: "a number of seconds from 0 to 10",
    about:
      "How late network boot ROMs get their offer: a Raspberry Pi 3 that gets it at once may hang. Others do not wait.",
  },
  dhcpDns: {
    key: "dhcp.dns",
    kind: "words",
    schema: addresses,
    fallback: [],
    fallbackWords: "this machine, which passes questions on",
    wants: wantsAddresses,
    about: "DNS servers that the nodes are told.",
  },
  dhcpDnsUpstream: {
    key: "dhcp.dnsUpstream",
    kind: "words",
    schema: addresses.optional(),
    fallback: undefined,
    fallbackWords: "those of /etc/resolv.conf, unless dhcp.dns names others for the nodes",
    wants: `${wantsAddresses}, or [] to serve no DNS here`,
    about: "DNS servers that this machine passes the nodes' questions on to. It answers for the names of nodes itself.",
  },
  dhcpNtp: {
    key: "dhcp.ntp",
    kind: "words",
    schema: addresses.optional(),
    fallback: undefined,
    fallbackWords: "this machine where a program serves time on it (UDP port 123); otherwise none",
    wants: `${wantsAddresses}, or [] for none`,
    about: "Time servers that the nodes are told (NTP).",
  },
  dhcpDomain: {
    key: "dhcp.domain",
    kind: "text",
    schema: z.string().max(253).regex(domainName).optional(),
    fallback: undefined,
    fallbackWords: "none",
    wants: 'a domain name in lower case, as "rack.example"',
    about: "Domain of the nodes' names.",
  },
  nfsMode: {
    key: "nfs.mode",
    kind: "text",
    schema: z.enum(nfsModes) as z.ZodType<NfsMode>,
    fallback: "none",
    wants: `one of ${nfsModes.join(", ")}`,
    about:
      "Who exports the agent's root filesystem, read-only: the kernel's NFS server, nfs-ganesha, or none of this machine.",
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
    fallbackWords: "rootfs/root in stateDirectory, where controller rootfs build puts it",
    wants: "the path of a folder, of letters, digits and _ . + / -",
    about:
      'Root filesystem that all nodes share in the agent, as "controller rootfs build" makes it (its folder root).',
  },
  nfsClients: {
    key: "nfs.clients",
    kind: "text",
    schema: ipv4Network.optional(),
    fallback: undefined,
    fallbackWords: "the network of this machine's interface with the advertised address",
    wants: wantsNetwork,
    about: "Network that may read it.",
  },
} as const satisfies Record<string, Setting<unknown>>;
