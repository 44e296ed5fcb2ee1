import type { NetworkConfig, WifiConfig } from "../system-config.ts";
import type { NetworkManager, SystemAbilities } from "./abilities.ts";
import { linesOf, requireText, textOf, withBlock } from "./amend-lines.ts";
import { type Edit, ifThere } from "./edit.ts";
import { planUnit } from "./plan-units.ts";
import {
  type RenderedInterface,
  readInterface,
  renderDhcpcd,
  renderIfupdown,
  renderKeyfile,
  renderNetplan,
  renderNetworkd,
  renderResolvConf,
} from "./render-interface.ts";
import {
  renderNetplanWifi,
  renderRegulatoryDomain,
  renderSupplicant,
  renderWifiKeyfile,
  wifiInterface,
  withWirelessEnabled,
} from "./render-wifi.ts";

export const interfacesPath = "/etc/network/interfaces";
const dhcpcdPath = "/etc/dhcpcd.conf";
const networkdFolder = "/etc/systemd/network";
const keyfileFolder = "/etc/NetworkManager/system-connections";
const netplanPath = "/etc/netplan/90-pallet.yaml";
const supplicantFolder = "/etc/wpa_supplicant";
/** Where systemd-rfkill(8) keeps whether radios are blocked: "1" is yes. */
export const radiosFolder = "/var/lib/systemd/rfkill";

/** What each network manager cannot be told. */
const knowsPatterns: Readonly<Record<NetworkManager, boolean>> = {
  NetworkManager: true,
  netplan: true,
  "systemd-networkd": true,
  dhcpcd: false,
  ifupdown: false,
};

/** What the network is to be, for the network manager that the image has. */
export function planNetwork(network: NetworkConfig, abilities: SystemAbilities): readonly Edit[] {
  const { manager } = abilities.network;
  if (manager === undefined) return [];
  const interfaces = (network.interfaces ?? []).map(readInterface);
  return [
    ...removeOurs(manager),
    ...planInterfaces(interfaces, network, manager),
    ...(writesResolvConf(abilities) && interfaces.some(({ dns }) => dns.length > 0)
      ? [
          {
            kind: "file",
            path: "/etc/resolv.conf",
            does: "names the DNS servers",
            content: renderResolvConf(interfaces),
          } as const,
        ]
      : []),
    ...(network.wifi === undefined ? [] : planWifi(network.wifi, manager, abilities)),
  ];
}

/** Why the image cannot take it. */
export function judgeNetwork(network: NetworkConfig, abilities: SystemAbilities): readonly string[] {
  const { manager, wifi } = abilities.network;
  const { interfaces = [] } = network;
  if (interfaces.length === 0 && network.wifi === undefined) return [];
  if (manager === undefined)
    return [
      "network: the image starts no network manager that is known (NetworkManager, netplan, systemd-networkd, dhcpcd, " +
        "ifupdown): use an image with one of them, or bring its files along in files",
    ];
  return [
    ...interfaces.map(readInterface).flatMap((each, index) => {
      const field = `network.interfaces[${index}]`;
      const families = new Set(each.addresses.map(({ family }) => family));
      return [
        ...(each.isPattern && !knowsPatterns[manager]
          ? [`${field}.name: the image's ${manager} knows no patterns: name the interface, for example eth0`]
          : []),
        ...(manager === "dhcpcd" && each.addresses.length > families.size
          ? [`${field}.addresses: the image's dhcpcd takes one address of each family: leave the others out`]
          : []),
        ...(manager === "dhcpcd" && each.gateways.some((gateway) => gateway.includes(":"))
          ? [`${field}.gateways: the image's dhcpcd takes no IPv6 gateway: leave it to router advertisements`]
          : []),
        ...(manager === "ifupdown" && each.addresses.length === 0 && each.dns.length > 0 && writesResolvConf(abilities)
          ? [
              `${field}.dns: the image's DHCP client writes /etc/resolv.conf by itself: leave dns out, or give addresses`,
            ]
          : []),
      ];
    }),
    ...(network.wifi !== undefined && wifi === undefined
      ? [
          "network.wifi: the image has nothing that joins wireless networks (package wpasupplicant): use an image that has, or " +
            "leave wifi out",
        ]
      : []),
    ...(network.wifi === undefined ? [] : judgeWifi(manager, abilities)),
  ];
}

/** interfaces(5) with our block for these interfaces; the image's own stanzas for them become comments. */
export function withInterfaces(text: string, names: readonly string[], stanzas: readonly string[]): string {
  requireText(text, interfacesPath);
  const others = linesOf(withBlock(text, [], "last"));
  let isTheirs = false;
  const kept = others.flatMap((line) => {
    const [keyword = "", ...words] = line.trim().split(/\s+/);
    if (/^(iface|mapping|source|source-directory|no-scripts|auto|allow-\S+)$/.test(keyword))
      isTheirs = (keyword === "iface" || keyword === "mapping") && names.includes(words[0] ?? "");
    if (isTheirs && keyword !== "" && !keyword.startsWith("#")) return [`#pallet# ${line}`];
    if (!/^(auto|allow-auto|allow-hotplug)$/.test(keyword) || !words.some((word) => names.includes(word)))
      return [line];
    const left = words.filter((word) => !names.includes(word));
    return [`#pallet# ${line}`, ...(left.length === 0 ? [] : [`${keyword} ${left.join(" ")}`])];
  });
  return withBlock(textOf(kept), stanzas, "last");
}

/** Only the network manager's own words decide who writes it. */
function writesResolvConf({ network: { manager, resolver } }: SystemAbilities): boolean {
  return resolver === undefined && (manager === "systemd-networkd" || manager === "ifupdown" || manager === "netplan");
}

function planInterfaces(
  interfaces: readonly RenderedInterface[],
  { wifi }: NetworkConfig,
  manager: NetworkManager,
): readonly Edit[] {
  switch (manager) {
    case "systemd-networkd":
      return interfaces.map((each, index) => ({
        kind: "file",
        path: `${networkdFolder}/05-pallet-${index}.network`,
        does: describe(each),
        content: renderNetworkd(each),
      }));
    case "NetworkManager":
      return interfaces.map((each, index) => ({
        kind: "file",
        path: `${keyfileFolder}/pallet-${index}.nmconnection`,
        does: describe(each),
        content: renderKeyfile(`pallet-${index}`, each),
        mode: 0o600,
      }));
    case "netplan":
      return [
        {
          kind: "file",
          path: netplanPath,
          does: [...interfaces.map(describe), ...(wifi === undefined ? [] : [describeWifi(wifi)])].join("; "),
          content: renderNetplan(interfaces, wifi && renderNetplanWifi(wifi)),
          mode: 0o600,
        },
      ];
    case "dhcpcd":
      return [
        {
          kind: "amend",
          path: dhcpcdPath,
          does: interfaces.map(describe).join("; "),
          amend: (text = "") => withBlock(requireText(text, dhcpcdPath), interfaces.flatMap(renderDhcpcd), "last"),
        },
      ];
    case "ifupdown": {
      const wireless = wifi === undefined ? [] : [wifiInterface];
      const stanzas = [
        ...interfaces.flatMap(renderIfupdown),
        ...wireless.flatMap((name) => [
          `auto ${name}`,
          `iface ${name} inet dhcp`,
          `    wpa-conf ${supplicantFolder}/wpa_supplicant.conf`,
        ]),
      ];
      return [
        {
          kind: "amend",
          path: interfacesPath,
          does: [...interfaces.map(describe), ...(wifi === undefined ? [] : [describeWifi(wifi)])].join("; "),
          amend: (text = "") => withInterfaces(text, [...interfaces.map(({ name }) => name), ...wireless], stanzas),
        },
      ];
    }
  }
}

/** What an earlier config has left in an image that was made of a node. */
function removeOurs(manager: NetworkManager): readonly Edit[] {
  const does = "removes the network of another reimage";
  if (manager === "systemd-networkd")
    return [{ kind: "remove-matching", path: networkdFolder, does, pattern: /^0[56]-pallet-.*\.network$/ }];
  if (manager === "NetworkManager")
    return [{ kind: "remove-matching", path: keyfileFolder, does, pattern: /^pallet-.*\.nmconnection$/ }];
  return [];
}

function planWifi(wifi: WifiConfig, manager: NetworkManager, abilities: SystemAbilities): readonly Edit[] {
  const does = describeWifi(wifi);
  return [
    {
      kind: "file",
      path: "/etc/modprobe.d/pallet-wifi.conf",
      does: `has radios keep the rules of ${wifi.country}`,
      content: renderRegulatoryDomain(wifi.country),
    },
    ...abilities.radios
      .filter((name) => name.endsWith(":wlan"))
      .map(
        (name): Edit => ({ kind: "file", path: `${radiosFolder}/${name}`, does: "switches Wi-Fi on", content: "0\n" }),
      ),
    ...planJoining(wifi, does, manager, abilities),
  ];
}

function planJoining(
  wifi: WifiConfig,
  does: string,
  manager: NetworkManager,
  abilities: SystemAbilities,
): readonly Edit[] {
  const supplicant = (name: string): Edit => ({
    kind: "file",
    path: `${supplicantFolder}/${name}`,
    does,
    content: renderSupplicant(wifi),
    mode: 0o600,
  });
  switch (manager) {
    case "NetworkManager": {
      const path = "/var/lib/NetworkManager/NetworkManager.state";
      return [
        {
          kind: "file",
          path: `${keyfileFolder}/pallet-wifi.nmconnection`,
          does,
          content: renderWifiKeyfile(wifi),
          mode: 0o600,
        },
        {
          kind: "amend",
          path,
          does: ifThere("switches Wi-Fi on"),
          amend: (text) => (text === undefined ? text : withWirelessEnabled(requireText(text, path))),
        },
      ];
    }
    case "systemd-networkd":
      return [
        supplicant(`wpa_supplicant-${wifiInterface}.conf`),
        {
          kind: "file",
          path: `${networkdFolder}/06-pallet-wifi.network`,
          does,
          content: `[Match]\nName=${wifiInterface}\n\n[Network]\nDHCP=yes\n`,
        },
        ...planUnit(`wpa_supplicant@${wifiInterface}.service`, "enabled", abilities, abilities.units),
      ];
    case "ifupdown":
      return [
        supplicant("wpa_supplicant.conf"),
        ...(abilities.init === "openrc"
          ? planUnit("wpa_supplicant.service", "enabled", abilities, abilities.units)
          : []),
      ];
    case "dhcpcd":
      return [supplicant("wpa_supplicant.conf")];
    // Its one file has it already.
    case "netplan":
      return [];
  }
}

function judgeWifi(manager: NetworkManager, { units, init }: SystemAbilities): readonly string[] {
  const needed = manager === "systemd-networkd" ? "wpa_supplicant@.service" : undefined;
  const service = manager === "ifupdown" && init === "openrc" ? "wpa_supplicant.service" : needed;
  return service === undefined || Object.hasOwn(units, service)
    ? []
    : [`network.wifi: the image has no ${service} that could join the network: use an image that has it`];
}

function describe({ name, addresses }: RenderedInterface): string {
  const by =
    addresses.length === 0 ? "DHCP" : addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(", ");
  return `gives ${name} its address: ${by}`;
}

function describeWifi({ ssid, country }: WifiConfig): string {
  return `joins the Wi-Fi ${JSON.stringify(ssid)}, by the rules of ${country}`;
}
