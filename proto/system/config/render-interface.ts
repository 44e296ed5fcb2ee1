import type { InterfaceConfig } from "../system-config.ts";
import { familyOf, netmaskOf, type Prefixed, parsePrefixed } from "./ip-address.ts";

/** A wired interface as each network manager wants to be told of it. */
export interface RenderedInterface {
  readonly name: string;
  readonly isPattern: boolean;
  readonly addresses: readonly Prefixed[];
  readonly gateways: readonly string[];
  readonly dns: readonly string[];
  readonly searchDomains: readonly string[];
}

/** Takes an interface apart; findConfigProblems() has found nothing wrong with it. */
export function readInterface(config: InterfaceConfig): RenderedInterface {
  const { name, addresses = [], gateways = [], dns = [], searchDomains = [] } = config;
  return {
    name,
    isPattern: /[*?[\]]/.test(name),
    addresses: addresses.map(parsePrefixed).filter((each) => each !== undefined),
    gateways,
    dns,
    searchDomains,
  };
}

/** A .network file (systemd.network(5)). */
export function renderNetworkd({ name, addresses, gateways, dns, searchDomains }: RenderedInterface): string {
  return lines(
    "[Match]",
    `Name=${name}`,
    "",
    "[Network]",
    ...(addresses.length === 0 ? ["DHCP=yes"] : addresses.map(({ address, prefix }) => `Address=${address}/${prefix}`)),
    ...gateways.map((each) => `Gateway=${each}`),
    ...dns.map((each) => `DNS=${each}`),
    ...(searchDomains.length === 0 ? [] : [`Domains=${searchDomains.join(" ")}`]),
  );
}

/** A keyfile of NetworkManager (nm-settings-keyfile(5)), which comes before the image's own. */
export function renderKeyfile(id: string, rendered: RenderedInterface): string {
  const { name, isPattern, dns, searchDomains } = rendered;
  const hasDhcp = rendered.addresses.length === 0;
  const family = (version: 4 | 6) => {
    const addresses = rendered.addresses.filter((each) => each.family === version);
    const gateway = rendered.gateways.find((each) => familyOf(each) === version);
    const servers = dns.filter((each) => familyOf(each) === version);
    return [
      "",
      `[ipv${version}]`,
      `method=${addresses.length > 0 ? "manual" : hasDhcp || version === 6 ? "auto" : "disabled"}`,
      ...addresses.map(({ address, prefix }, index) => `address${index + 1}=${address}/${prefix}`),
      ...(gateway === undefined ? [] : [`gateway=${gateway}`]),
      ...(servers.length === 0 ? [] : [`dns=${servers.map((each) => `${each};`).join("")}`]),
      ...(searchDomains.length === 0 || (version === 4 && addresses.length === 0 && !hasDhcp)
        ? []
        : [`dns-search=${searchDomains.map((each) => `${each};`).join("")}`]),
    ];
  };
  return lines(
    "[connection]",
    `id=${id}`,
    "type=ethernet",
    ...(isPattern ? [] : [`interface-name=${name}`]),
    "autoconnect-priority=100",
    ...(isPattern ? ["", "[match]", `interface-name=${name};`] : []),
    ...family(4),
    ...family(6),
  );
}

/** Netplan's YAML, of which JSON is a part. An interface of the image with the same name is changed by it. */
export function renderNetplan(interfaces: readonly RenderedInterface[], wifis: object | undefined): string {
  const ethernets = interfaces.map((each, index) => [
    each.isPattern ? `pallet${index}` : each.name,
    {
      ...(each.isPattern && { match: { name: each.name } }),
      dhcp4: each.addresses.length === 0,
      dhcp6: each.addresses.length === 0,
      ...(each.addresses.length > 0 && {
        addresses: each.addresses.map(({ address, prefix }) => `${address}/${prefix}`),
      }),
      ...(each.gateways.length > 0 && {
        routes: each.gateways.map((via) => ({ to: familyOf(via) === 6 ? "::/0" : "0.0.0.0/0", via })),
      }),
      ...((each.dns.length > 0 || each.searchDomains.length > 0) && {
        nameservers: {
          ...(each.dns.length > 0 && { addresses: each.dns }),
          ...(each.searchDomains.length > 0 && { search: each.searchDomains }),
        },
      }),
    },
  ]);
  const network = {
    version: 2,
    ...(ethernets.length > 0 && { ethernets: Object.fromEntries(ethernets) }),
    ...(wifis !== undefined && { wifis }),
  };
  return `${JSON.stringify({ network }, null, 2)}\n`;
}

/** Stanzas of interfaces(5). Netmasks are written out: busybox's ifup knows no other. */
export function renderIfupdown({
  name,
  addresses,
  gateways,
  dns,
  searchDomains,
}: RenderedInterface): readonly string[] {
  if (addresses.length === 0) return [`auto ${name}`, `iface ${name} inet dhcp`];
  const seen = new Set<number>();
  return [
    `auto ${name}`,
    ...addresses.flatMap(({ address, prefix, family }) => {
      const isFirst = !seen.has(family);
      const isFirstOfAll = seen.size === 0;
      seen.add(family);
      const gateway = isFirst ? gateways.find((each) => familyOf(each) === family) : undefined;
      return [
        `iface ${name} ${family === 4 ? "inet" : "inet6"} static`,
        `    address ${address}`,
        `    netmask ${family === 4 ? netmaskOf(prefix) : prefix}`,
        ...(gateway === undefined ? [] : [`    gateway ${gateway}`]),
        ...(isFirstOfAll && dns.length > 0 ? [`    dns-nameservers ${dns.join(" ")}`] : []),
        ...(isFirstOfAll && searchDomains.length > 0 ? [`    dns-search ${searchDomains.join(" ")}`] : []),
      ];
    }),
  ];
}

/** A block of dhcpcd.conf(5); it asks DHCP for everything that is not static. */
export function renderDhcpcd({ name, addresses, gateways, dns, searchDomains }: RenderedInterface): readonly string[] {
  const ofFamily = (version: 4 | 6) => addresses.find(({ family }) => family === version);
  const [v4, v6] = [ofFamily(4), ofFamily(6)];
  const router = gateways.filter((each) => familyOf(each) === 4);
  return [
    `interface ${name}`,
    ...(v4 === undefined ? [] : [`static ip_address=${v4.address}/${v4.prefix}`]),
    ...(v6 === undefined ? [] : [`static ip6_address=${v6.address}/${v6.prefix}`]),
    ...(router.length === 0 ? [] : [`static routers=${router.join(" ")}`]),
    ...(dns.length === 0 ? [] : [`static domain_name_servers=${dns.join(" ")}`]),
    ...(searchDomains.length === 0 ? [] : [`static domain_search=${searchDomains.join(" ")}`]),
  ];
}

/** resolv.conf(5), where nothing else writes it. */
export function renderResolvConf(interfaces: readonly RenderedInterface[]): string {
  const search = [...new Set(interfaces.flatMap((each) => each.searchDomains))];
  const servers = [...new Set(interfaces.flatMap((each) => each.dns))];
  return lines(
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
    ...servers.map((each) => `nameserver ${each}`),
  );
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
