import type { Config } from "../config/config.ts";
import { servesDns } from "../network/dnsmasq/choose-offers.ts";
import { formatIpv4, formatIpv4Network } from "../network/ipv4.ts";
import { type Content, digestOf, type Written } from "./content.ts";
import { unitsInTheWay } from "./debian-units.ts";
import type { Link, SetupFacts, UnitState } from "./facts.ts";
import { mountPort, renderFirewall } from "./render-firewall.ts";
import { rackName, type SetupChoice } from "./setup-choice.ts";

/** A file that a setup makes. */
export interface WantedFile {
  readonly path: string;
  readonly content: Written;
  /** What it is for, as part of a list. */
  readonly about: string;
  /** What it may replace, and gets back when the setup is undone: nobody's work. */
  readonly over?: Written;
  /** Whether it is the operator's once it is written: the setup leaves it alone from then on, whatever it says. */
  readonly isSeed?: true;
}

/** First line of every file that a setup writes. */
export const mark = '# Written by "controller setup"; "controller setup undo" removes it. A changed one is left alone.';

const units = "/etc/systemd/system";

/** Every path that a setup may write to. */
export const setupPaths = {
  config: "/etc/pallet/pallet.yaml",
  // The first file that matches decides (systemd.network(5)), and netplan's begin with 10.
  link: "/etc/systemd/network/00-pallet-rack.link",
  network: "/etc/systemd/network/00-pallet-rack.network",
  networkd: "/etc/systemd/networkd.conf.d/pallet.conf",
  networkdWanted: `${units}/multi-user.target.wants/systemd-networkd.service`,
  networkManager: "/etc/NetworkManager/conf.d/pallet.conf",
  forwarding: "/etc/sysctl.d/99-zz-pallet.conf",
  firewall: "/etc/pallet/firewall.nft",
  firewallUnit: `${units}/pallet-firewall.service`,
  firewallWanted: `${units}/multi-user.target.wants/pallet-firewall.service`,
  nfs: "/etc/nfs.conf.d/pallet.conf",
  time: "/etc/chrony/conf.d/pallet.conf",
  timeWanted: `${units}/multi-user.target.wants/chrony.service`,
  user: "/etc/sysusers.d/pallet.conf",
  folders: "/etc/tmpfiles.d/pallet.conf",
  broker: `${units}/pallet-broker.service`,
  brokerSocket: `${units}/pallet-broker.socket`,
  brokerWanted: `${units}/sockets.target.wants/pallet-broker.socket`,
  unit: `${units}/pallet-controller.service`,
  order: `${units}/pallet-controller.service.d/setup.conf`,
  unitWanted: `${units}/multi-user.target.wants/pallet-controller.service`,
} as const;

/** The controller's unit of the Debian package. */
export const packagedUnit = "/usr/lib/systemd/system/pallet-controller.service";
/** And the socket of its broker. */
const packagedSocket = "/usr/lib/systemd/system/pallet-broker.socket";

/** Whether nobody has written a configuration yet: that of the Debian package says nothing. */
export function isUnset(content: Content, packagedConfig: string): boolean {
  return content.kind === "absent" || digestOf(content) === digestOf(configOf(packagedConfig));
}

function configOf(text: string): Written {
  return { kind: "file", text, mode: 0o644 };
}

/** Where a unit is masked. */
function maskOf(unit: string): string {
  return `${units}/${unit}`;
}

/** Every path that a setup may write to, those of masks too. */
export const possiblePaths: readonly string[] = [
  ...Object.values(setupPaths),
  ...unitsInTheWay.flatMap(({ unit, with: others = [] }) => [unit, ...others].map(maskOf)),
];

/**
 * The files that this machine needs for the choice. What an earlier setup wrote stays wanted: without it the machine would
 * be as it was before.
 *
 * @param config what `serve` goes by, or will
 */
export function renderFiles(
  { rack, choice }: { readonly rack: Link; readonly choice: SetupChoice },
  facts: Pick<SetupFacts, "units" | "journal" | "contents" | "ports" | "sources" | "isPackaged" | "packagedConfig">,
  config: Pick<Config, "grpcPort" | "httpPort" | "httpsPort" | "insecure" | "tftpPort" | "dhcp" | "nfs">,
): readonly WantedFile[] {
  const isNoted = (path: string): boolean => facts.journal?.files.some((each) => each.path === path) === true;
  const stateOf = (name: string): UnitState | undefined => facts.units.get(name);
  const isEnabled = (name: string): boolean => stateOf(name)?.enablement === "enabled";
  const wanted: WantedFile[] = [];
  const want = (path: string, content: Written, about: string, when = true): void => {
    if (when || isNoted(path)) wanted.push({ path, content, about });
  };
  const enable = (path: string, name: string, file: string): void => {
    want(path, { kind: "link", to: file }, `${name} starts with the machine`, !isEnabled(name));
  };

  for (const { unit: name, with: others = [], what } of unitsInTheWay) {
    if (name === "nfs-server.service" && config.nfs.mode === "kernel") continue;
    for (const each of [name, ...others]) {
      const isIn = isEnabled(each) || (each === name && stateOf(each)?.isActive === true);
      want(maskOf(each), { kind: "link", to: "/dev/null" }, `${each} stays off: the controller serves ${what}`, isIn);
    }
  }

  want(setupPaths.link, plain(linkLines(rack)), `the interface is called ${rackName}, by its MAC address`);
  want(
    setupPaths.network,
    plain(networkLines(choice, namesOf(config.dhcp))),
    "its address, with or without a cable; no gateway",
  );
  const managesAlready =
    stateOf("systemd-networkd.service")?.isActive === true || isEnabled("systemd-networkd.service");
  want(
    setupPaths.networkd,
    plain(["[Network]", "ManageForeignRoutes=no", "ManageForeignRoutingPolicyRules=no"]),
    "systemd-networkd, which is new here, leaves the routes of others alone",
    !managesAlready,
  );
  const networkd = "systemd-networkd.service";
  enable(setupPaths.networkdWanted, networkd, stateOf(networkd)?.file ?? `/lib/systemd/system/${networkd}`);
  const hasNetworkManager = isEnabled("NetworkManager.service") || stateOf("NetworkManager.service")?.isActive === true;
  want(
    setupPaths.networkManager,
    plain(["[keyfile]", `unmanaged-devices+=mac:${rack.mac};interface-name:${rackName}`]),
    "NetworkManager leaves the rack's interface alone",
    hasNetworkManager,
  );

  if (choice.uplink !== undefined)
    want(setupPaths.forwarding, plain(["net.ipv4.ip_forward = 1"]), "this machine forwards between its interfaces");
  want(
    setupPaths.firewall,
    plain(renderFirewall(choice, config)),
    choice.uplink === undefined
      ? "on the rack's side, only what nodes need"
      : `on the rack's side, only what nodes need; nodes reach the world through ${choice.uplink}, as this machine`,
  );
  want(setupPaths.firewallUnit, plain(firewallUnitLines), "loads it at every start, without touching other tables");
  enable(setupPaths.firewallWanted, "pallet-firewall.service", setupPaths.firewallUnit);

  // nfs.conf(5): otherwise at a port of its own choice, which the firewall would drop.
  if (config.nfs.mode === "kernel")
    want(
      setupPaths.nfs,
      plain(["[mountd]", `port=${mountPort}`]),
      "the kernel's NFS server answers where nodes may ask",
    );

  if (servesTime(facts)) {
    const network = formatIpv4Network(choice.network);
    const lines = [`allow ${network}`, "local stratum 10"];
    want(setupPaths.time, plain(lines), "chrony serves time to nodes, its own where it knows no better");
    enable(setupPaths.timeWanted, "chrony.service", "/lib/systemd/system/chrony.service");
  }

  // Those of an earlier setup, which was perhaps the unit alone, would win over the package's, and start another program.
  const hasOwn = stateOf("pallet-controller.service")?.exists === true && !isNoted(setupPaths.unit);
  for (const [path, source, about] of [
    [setupPaths.user, "pallet.sysusers", "the user that the controller runs as"],
    [setupPaths.folders, "pallet.tmpfiles", "the controller's folders, and whose they are"],
    [setupPaths.brokerSocket, "pallet-broker.socket", "where the controller asks for what needs root"],
    [setupPaths.broker, "pallet-broker.service", "does what needs root: DHCP, NFS and others' files"],
    [setupPaths.unit, "pallet-controller.service", "the controller as a service"],
  ] as const)
    if (!facts.isPackaged)
      want(path, { kind: "file", text: `${mark}\n${facts.sources[source] ?? ""}`, mode: 0o644 }, about, !hasOwn);
  const socketFile = facts.isPackaged
    ? packagedSocket
    : (stateOf("pallet-broker.socket")?.file ?? setupPaths.brokerSocket);
  enable(setupPaths.brokerWanted, "pallet-broker.socket", socketFile);
  want(setupPaths.order, plain(orderLines), "starts it after the network, the firewall and the time");
  const unitFile = facts.isPackaged ? packagedUnit : (stateOf("pallet-controller.service")?.file ?? setupPaths.unit);
  enable(setupPaths.unitWanted, "pallet-controller.service", unitFile);

  if (
    isUnset(facts.contents.get(setupPaths.config) ?? { kind: "absent" }, facts.packagedConfig) ||
    isNoted(setupPaths.config)
  )
    wanted.push({
      path: setupPaths.config,
      content: configOf(renderConfig(choice)),
      over: configOf(facts.packagedConfig),
      about: "the controller's configuration; yours from then on",
      isSeed: true,
    });
  return wanted;
}

/** Whether the time is ours to serve: another program may do so already. */
export function servesTime({ ports }: Pick<SetupFacts, "ports">): boolean {
  return timeHolder({ ports }) === undefined;
}

/** What else than chrony serves time here. */
export function timeHolder({ ports }: Pick<SetupFacts, "ports">): string | undefined {
  const held = ports.find(({ port, protocol }) => protocol === "UDP" && port === 123);
  if (held === undefined || held.process?.name === "chronyd") return undefined;
  return held.process?.name ?? "a program";
}

/** The configuration that a setup starts with. */
export function renderConfig({ address }: Pick<SetupChoice, "address">): string {
  return [
    '# Written by "controller setup", and yours to change: "controller serve --help" has every key and default.',
    `listen: ${address}`,
    "dhcp:",
    "  mode: server",
    `  interface: ${rackName}`,
    "  domain: rack.internal",
    "nfs:",
    "  mode: ganesha",
    "",
  ].join("\n");
}

function plain(lines: readonly string[]): Written {
  return { kind: "file", text: [mark, ...lines, ""].join("\n"), mode: 0o644 };
}

/**
 * systemd.link(5). What lies on top of an interface, such as a VLAN, has its MAC address too, but no permanent one; where
 * the driver tells of none that differs, the kind has to keep these out.
 */
function linkLines({ mac, permanentMac }: Link): readonly string[] {
  const match =
    permanentMac === undefined
      ? [`MACAddress=${mac}`, "Type=ether", "Kind=!vlan macvlan macvtap ipvlan bridge bond team"]
      : [`PermanentMACAddress=${permanentMac}`];
  return ["[Match]", ...match, "", "[Link]", `Name=${rackName}`];
}

/** The domain whose names the controller answers for; undefined where it answers for none. */
export function namesOf(dhcp: Config["dhcp"]): string | undefined {
  return servesDns(dhcp) ? dhcp.domain : undefined;
}

/**
 * systemd.network(5). systemd-resolved, where it runs, asks the controller for the rack's names and the addresses of
 * its network, and for nothing else.
 */
function networkLines({ address, network }: SetupChoice, domain: string | undefined): readonly string[] {
  const names = domain === undefined ? [] : [domain, ...reverseDomainOf(network)].map((name) => `~${name}`);
  return [
    ...["[Match]", `Name=${rackName}`, ""],
    ...["[Link]", "RequiredForOnline=no", ""],
    ...["[Network]", `Address=${address}/${network.prefixLength}`],
    ...["ConfigureWithoutCarrier=yes", "DHCP=no", "LinkLocalAddressing=no", "IPv6AcceptRA=no"],
    ...(names.length > 0 ? [`DNS=${address}`, `Domains=${names.join(" ")}`, "DNSDefaultRoute=no"] : []),
  ];
}

/** Where the names of a network's addresses are (RFC 1035, 3.5); none for one that no single domain stands for. */
function reverseDomainOf({ base, prefixLength }: SetupChoice["network"]): readonly string[] {
  if (prefixLength === 0 || prefixLength % 8 !== 0) return [];
  const octets = formatIpv4(base)
    .split(".")
    .slice(0, prefixLength / 8);
  return [`${octets.toReversed().join(".")}.in-addr.arpa`];
}

/** Debian's nftables.service flushes every table when it starts, stops or reloads: ours comes after it, each time. */
const firewallUnitLines: readonly string[] = [
  "[Unit]",
  "Description=Pallet's firewall on the rack's side",
  "DefaultDependencies=no",
  "Wants=network-pre.target",
  "Before=network-pre.target shutdown.target",
  "After=nftables.service local-fs.target systemd-sysctl.service",
  "Conflicts=shutdown.target",
  "PartOf=nftables.service",
  "ReloadPropagatedFrom=nftables.service",
  // However often somebody restarts nftables: a limit would end in a machine without our rules.
  "StartLimitIntervalSec=0",
  "",
  "[Service]",
  "Type=oneshot",
  "RemainAfterExit=yes",
  `ExecStart=/usr/sbin/nft --file ${setupPaths.firewall}`,
  `ExecReload=/usr/sbin/nft --file ${setupPaths.firewall}`,
  "ExecStop=-/usr/sbin/nft delete table inet pallet",
];

const orderLines: readonly string[] = [
  "[Unit]",
  "Wants=pallet-firewall.service",
  "After=systemd-networkd.service pallet-firewall.service chrony.service nfs-server.service",
];
