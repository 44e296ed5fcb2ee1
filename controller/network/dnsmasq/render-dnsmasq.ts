import { Failure } from "../../../proto/failure.ts";
import { formatIpv4, type Ipv4Network, netmaskOf } from "../ipv4.ts";
import { writtenBy } from "../written-by.ts";

/** The complete settings for dnsmasq. Addresses are IPv4 in dotted decimal. */
export interface DnsmasqSettings {
  readonly mode: "server" | "proxy";
  /** Network interface that the nodes are behind. */
  readonly interface: string;
  /** Address of this machine there. */
  readonly address: string;
  /** Network of the nodes. */
  readonly subnet: Ipv4Network;
  /** First and last address to give away; mode server only. */
  readonly range?: readonly [from: string, to: string];
  readonly gateway?: string;
  readonly leaseSeconds: number;
  readonly replyDelaySeconds: number;
  /** DNS and time servers for the nodes. */
  readonly dns: readonly string[];
  readonly ntp: readonly string[];
  /** Whom this machine's own DNS asks: these, or those of /etc/resolv.conf; absent where it has none. */
  readonly relay?: "resolv.conf" | readonly string[];
  readonly domain?: string;
  /** Whose TFTP the nodes ask. */
  readonly tftpServer: string;
  /** Absolute paths of what it reads and writes. */
  readonly files: Readonly<Record<"leases" | "hosts" | "names" | "processId", string>>;
}

/** What a Raspberry Pi's boot ROM wants to read in option 43 before it takes an offer. */
const raspberryPiBoot = "Raspberry Pi Boot";

/**
 * Renders the configuration file of dnsmasq (dnsmasq(8), 2.90). Throws Failure "invalid" naming a value that would end
 * its line or its field.
 */
export function renderDnsmasq(settings: DnsmasqSettings): string {
  assertValues(settings);
  const { interface: device, files } = settings;
  const lines = [
    writtenBy,
    // It starts without the capabilities that it does not need; as another user it could not read its files again.
    "user=root",
    "group=root",
    `pid-file=${files.processId}`,
    // It notices when the file changes, as on a machine that gets its own network by DHCP.
    ...(settings.relay === "resolv.conf" ? ["resolv-file=/etc/resolv.conf"] : ["no-resolv", "no-poll"]),
    "no-hosts",
    `interface=${device}`,
    "except-interface=lo",
    "bind-dynamic",
    "log-dhcp",
    `dhcp-leasefile=${files.leases}`,
    ...(settings.mode === "server" ? serverLines(settings) : proxyLines(settings)),
    ...bootRomLines(settings),
    ...dnsLines(settings),
  ];
  return `${lines.join("\n")}\n`;
}

function serverLines(settings: DnsmasqSettings): readonly string[] {
  const { range, subnet, leaseSeconds, gateway, dns, ntp, files, tftpServer } = settings;
  if (range === undefined) throw new Failure("invalid", "a DHCP server needs a range of addresses to lease");
  return [
    `dhcp-range=${range[0]},${range[1]},${netmaskOf(subnet)},${leaseSeconds}`,
    `dhcp-hostsfile=${files.hosts}`,
    // Nobody else gives addresses here: a node that asks for the lease of another network hears "no" at once.
    "dhcp-authoritative",
    // A board's boot ROM, U-Boot and kernel name themselves differently: only the MAC address is the same.
    "dhcp-ignore-clid",
    // Names come from the node records, never from the client.
    "dhcp-ignore-names",
    // Waiting for the answer to a ping costs each boot three seconds.
    "no-ping",
    // An option without a value is not sent; without these lines it would be this machine's address.
    ["dhcp-option=option:router", ...(gateway === undefined ? [] : [gateway])].join(","),
    ["dhcp-option=option:dns-server", ...dns].join(","),
    ...(ntp.length > 0 ? [["dhcp-option=option:ntp-server", ...ntp].join(",")] : []),
    // The field "next server" (siaddr) is what most ask for, option 66 what the others do.
    `dhcp-option=option:server-ip-address,${tftpServer}`,
    `dhcp-option=option:tftp-server,"${tftpServer}"`,
  ];
}

function proxyLines({ subnet, tftpServer }: DnsmasqSettings): readonly string[] {
  return [
    `dhcp-range=${formatIpv4(subnet.base)},proxy,${netmaskOf(subnet)}`,
    // Nothing else fills in "next server" here; what a Raspberry Pi loads from there it decides itself.
    `dhcp-boot=bootcode.bin,,${tftpServer}`,
  ];
}

function bootRomLines({ replyDelaySeconds }: DnsmasqSettings): readonly string[] {
  return [
    "dhcp-vendorclass=set:boot-rom,PXEClient",
    `pxe-service=0,"${raspberryPiBoot}"`,
    ...(replyDelaySeconds > 0 ? [`dhcp-reply-delay=tag:boot-rom,${replyDelaySeconds}`] : []),
  ];
}

function dnsLines({ relay, domain, files }: DnsmasqSettings): readonly string[] {
  const domainLines = domain === undefined ? [] : [`domain=${domain}`, `local=/${domain}/`, "expand-hosts"];
  if (relay === undefined) return ["port=0", ...domainLines];
  const servers = relay === "resolv.conf" ? [] : relay.map((server) => `server=${server}`);
  // These names win over those of leases, which end and which nodes with static addresses do not have.
  return ["domain-needed", "bogus-priv", `addn-hosts=${files.names}`, ...servers, ...domainLines];
}

function assertValues(settings: DnsmasqSettings): void {
  const { files, range = [], dns, ntp, gateway, domain } = settings;
  const relay = settings.relay === "resolv.conf" ? [] : (settings.relay ?? []);
  const addresses = [...range, ...dns, ...ntp, ...relay, settings.address, settings.tftpServer, gateway ?? "0.0.0.0"];
  for (const address of addresses) assertValue("address", address, /^[0-9.]+$/);
  for (const path of Object.values(files)) assertValue("path", path, /^\/[^\s"#,\\\p{Cc}]*$/u);
  assertValue("interface", settings.interface, /^[A-Za-z0-9_.-]+$/);
  if (domain !== undefined) assertValue("domain", domain, /^[a-z0-9.-]+$/);
  for (const number of [settings.leaseSeconds, settings.replyDelaySeconds]) {
    assertValue("number of seconds", String(number), /^\d+$/);
  }
}

function assertValue(what: string, value: string, pattern: RegExp): void {
  if (pattern.test(value)) return;
  throw new Failure("invalid", `${JSON.stringify(value)} cannot be written into dnsmasq's configuration as a ${what}`);
}
