import { debianPackages } from "../../proto/linux/debian-package.ts";
import { selectPortProblems } from "../check/select-port-problems.ts";
import type { Config } from "../config/config.ts";
import {
  formatIpv4Network,
  type Ipv4Network,
  isInNetwork,
  networksOverlap,
  parseIpv4Network,
} from "../network/ipv4.ts";
import { saysSomething, unitsInTheWay } from "./debian-units.ts";
import type { Link, SetupFacts } from "./facts.ts";
import { findClaims, isNetworkFile } from "./parse-network-files.ts";
import { setupPaths } from "./render-files.ts";
import { rackName, type SetupChoice } from "./setup-choice.ts";

/** Something that is in the way of a setup: nothing is changed before it is gone. */
export interface Conflict {
  /** One sentence without its full stop. */
  readonly message: string;
  readonly remedy: string;
}

/** Everything in the way, but for files at the paths of a setup itself. */
export function* findConflicts(
  choice: SetupChoice,
  rack: Link,
  facts: SetupFacts,
  config: Config,
): Generator<Conflict> {
  yield* machineConflicts(facts);
  yield* linkConflicts(choice, rack, facts);
  yield* claimConflicts(rack, facts);
  yield* networkConflicts(choice, rack, facts);
  yield* rolloutConflicts(choice, facts);
  yield* configConflicts(choice, config);
  yield* portConflicts(choice, facts, config);
  yield* firewallConflicts(choice, rack, facts);
  if (facts.otherDhcp !== undefined && "servers" in facts.otherDhcp && facts.otherDhcp.servers.length > 0) {
    const servers = facts.otherDhcp.servers.join(" and ");
    yield {
      message: `another DHCP server answers on ${rack.name}: ${servers}`,
      remedy:
        `unplug it (is this the rack's interface?), or write ${setupPaths.config} with ` +
        "dhcp.mode proxy, which adds what network boot needs to its answers",
    };
  }
}

/** The interface that the operator means: by the name that it has now, or had before an earlier setup. */
export function findRack(
  { rack }: Pick<SetupChoice, "rack">,
  { links, journal }: Pick<SetupFacts, "links" | "journal">,
): Link | undefined {
  const named = links.find(({ name }) => name === rack);
  if (named !== undefined || journal?.rack.name !== rack) return named;
  return links.find(({ name, mac }) => name === rackName && mac === journal.rack.mac);
}

/** The interfaces that could be meant, for a message. */
export function describeLinks(links: readonly Link[]): string {
  const words = links
    .filter(({ type }) => type !== "loopback")
    .map(({ name, mac, addresses }) => [name, mac, ...addresses].filter((word) => word !== "").join(" "));
  return words.length === 0 ? "none" : words.join("; ");
}

function* machineConflicts(facts: SetupFacts): Generator<Conflict> {
  if (!facts.isRoot) yield { message: "only root can set this machine up", remedy: "run it as root" };
  if (facts.missing.length > 0) {
    const packages = debianPackages(facts.missing).join(" ");
    yield {
      message: `this machine lacks ${facts.missing.join(", ")}`,
      remedy: `--install, or: apt-get install --no-install-recommends ${packages}`,
    };
  }
  for (const { folder, reason } of facts.unwritable)
    yield { message: `${folder} cannot be written to: ${reason}`, remedy: "mend that first" };
  if (!facts.hasProgram && facts.units.get("pallet-controller.service")?.exists !== true)
    yield {
      message: "there is no /usr/local/bin/controller for the service to start",
      remedy: "install -m 755 dist/controller /usr/local/bin/",
    };
  if (facts.units.get("systemd-networkd.service")?.exists !== true)
    yield {
      message: "there is no systemd-networkd here, which keeps the rack's interface",
      remedy: "use a Debian 12 with systemd",
    };
  if (facts.state !== undefined && facts.state.schema > facts.state.known)
    yield {
      message:
        `the state here was written by a newer version of Pallet (schema ${facts.state.schema}, this one knows ` +
        `${facts.state.known}): its controller would not start`,
      remedy: "use that version, or move the state directory away",
    };
  for (const name of ["systemd-networkd.service", "pallet-controller.service", "chrony.service"])
    if (facts.units.get(name)?.enablement === "masked")
      yield { message: `${name} is masked, and a setup needs it`, remedy: `systemctl unmask ${name}` };
}

function* linkConflicts({ rack: named, uplink }: SetupChoice, rack: Link, facts: SetupFacts): Generator<Conflict> {
  const { links, routes, journal } = facts;
  const other = `name the rack's own network card: ${describeLinks(links)}`;
  if (uplink !== undefined && !links.some(({ name }) => name === uplink))
    yield {
      message: `there is no network interface ${uplink} (--uplink)`,
      remedy: `this machine has: ${describeLinks(links)}; or --uplink none`,
    };
  if (journal !== undefined && journal.rack.mac !== rack.mac)
    yield {
      message: `an earlier setup is for ${journal.rack.name} (${journal.rack.mac}), not for ${named} (${rack.mac})`,
      remedy: "controller setup undo, then apply again",
    };
  if (rack.name !== rackName && links.some(({ name }) => name === rackName))
    yield {
      message: `another interface is called ${rackName} already`,
      remedy: `give it another name, or name it with --rack`,
    };
  if (rack.type !== "ether" || rack.mac === "") {
    yield { message: `${named} is no Ethernet interface`, remedy: other };
    return;
  }
  if (rack.isWireless)
    yield { message: `${named} is a wireless interface; boards boot from a network by cable`, remedy: other };
  if (rack.kind !== undefined && stackedKinds.includes(rack.kind))
    yield {
      message: `${named} is a ${rack.kind}, which a name by MAC address would not tell from what it lies on`,
      remedy: other,
    };
  if (rack.controller !== undefined)
    yield {
      message: `${named} is a port of ${rack.controller}, which has its addresses`,
      remedy: `ip link set ${named} nomaster, and see to it that nothing adds it again; or ${other}`,
    };
  const twin = links.find((link) => link.name !== rack.name && isHardware(link) && ownMac(link) === ownMac(rack));
  if (twin !== undefined)
    yield {
      message: `${named} and ${twin.name} have the same MAC address, ${ownMac(rack)}, by which the rack's interface is known`,
      remedy: `give ${twin.name} another (MACAddress= in a systemd.link(5) for its port), or use another adapter`,
    };
  if (routes.some(({ network, device }) => defaultNetworks.includes(network) && device === rack.name))
    yield {
      message: `${named} is the way to this machine's own default route: it is not the rack's, or not only`,
      remedy: other,
    };
}

const defaultNetworks: readonly string[] = ["0.0.0.0/0", "::/0"];

/** Whether an interface is a network card, or passes for one: it has a MAC address of its own. */
export function isHardware({ type, kind }: Link): boolean {
  return type === "ether" && (kind === undefined || !stackedKinds.includes(kind));
}

/** The address burnt into it. */
function ownMac({ mac, permanentMac }: Link): string {
  return permanentMac ?? mac;
}

/** Kinds (ip-link(8)) of interfaces that have another one's MAC address, or none of their own. */
const stackedKinds: readonly string[] = ["vlan", "macvlan", "macvtap", "ipvlan", "bridge", "bond", "team", "wireguard"];

function* claimConflicts(rack: Link, facts: SetupFacts): Generator<Conflict> {
  const theirs = filesOfOthers(facts);
  for (const { file, by, isWide } of findClaims(theirs, rack)) {
    if (isOverruled(file, isWide)) continue;
    const keeper = by === "udev" ? "a setup" : "systemd-networkd";
    yield {
      message: `${by} ${by === "udev" ? "names" : "configures"} ${rack.name} by ${file}`,
      remedy: `take ${rack.name} out of ${file}${by === "udev" ? "" : `, and out of ${by}`}: one has to keep it, and that will be ${keeper}`,
    };
  }
  if (facts.units.get("systemd-networkd.service")?.isActive !== true) {
    const files = [...theirs.keys()].filter(isNetworkFile);
    if (files.length > 0)
      yield {
        message: `systemd-networkd does not run here, but would act by ${files.join(" and ")} if a setup started it`,
        remedy: "remove what is not in use, or have systemd-networkd run by it first: systemctl start systemd-networkd",
      };
  }
  for (const [name, how] of [
    ["dhcpcd.service", `add "denyinterfaces ${rack.name} ${rackName}" to /etc/dhcpcd.conf and stop it until then`],
    ["connman.service", "use another network manager: connman keeps every Ethernet interface"],
  ] as const)
    if (facts.units.get(name)?.isActive === true && !leaves(facts, name))
      yield { message: `${name.replace(".service", "")} runs, and configures every interface`, remedy: how };
}

function leaves({ files }: SetupFacts, name: string): boolean {
  const text = files.get("/etc/dhcpcd.conf") ?? "";
  return name === "dhcpcd.service" && new RegExp(`^denyinterfaces\\b.*\\b${rackName}\\b`, "m").test(text);
}

/** Files of others that have the rack's interface only as one of many, and give way to those of a setup. */
export function findOverruled(rack: Link, facts: SetupFacts): readonly string[] {
  const claims = findClaims(filesOfOthers(facts), rack);
  return claims.flatMap(({ file, isWide }) => (isWide && isOverruled(file, isWide) ? [file] : []));
}

function filesOfOthers({ files, journal }: SetupFacts): ReadonlyMap<string, string> {
  // A version before this one may have had others.
  const own = new Set([setupPaths.link, setupPaths.network, ...(journal?.files.map(({ path }) => path) ?? [])]);
  return new Map([...files].filter(([file]) => !own.has(file)));
}

/** What netplan makes in /run is of a file in /etc, which counts. */
function isOverruled(file: string, isWide: boolean): boolean {
  const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  const isOfSystemd = /^\/(etc|run)\/systemd\//.test(file);
  const isLater = !isOfSystemd || nameOf(file) > nameOf(setupPaths.network);
  return isLater && (isWide || file.startsWith("/run/"));
}

function* networkConflicts(
  { address, network, uplink }: SetupChoice,
  rack: Link,
  facts: SetupFacts,
): Generator<Conflict> {
  const remedy = "give another with --address, for example --address 10.78.0.1/24";
  for (const message of findOtherUses(network, rack.name, facts)) yield { message, remedy };
  if (uplink !== undefined)
    for (const [file, text] of facts.files) {
      const isSysctl = file.startsWith("/etc/sysctl") && file !== setupPaths.forwarding;
      if (isSysctl && /^\s*-?net[./]ipv4[./](ip_forward|conf[./]all[./]forwarding)\s*=\s*0\s*$/m.test(text))
        yield {
          message: `${file} says that this machine does not forward, and nodes would reach nothing through ${uplink}`,
          remedy: `take that line out, or give --uplink none`,
        };
    }
  const own = [...rack.addresses.map((each) => each.split("/")[0]), ...rack.ipv6Addresses];
  if (facts.loginAddress !== undefined && own.includes(facts.loginAddress))
    yield {
      message: `you are logged in over SSH at ${facts.loginAddress}, on ${rack.name}: nodes need no SSH, so it would end`,
      remedy: `log in by ${uplink ?? "the console"}`,
    };
  const host = parseIpv4Network(`${address}/32`);
  if (network.prefixLength > 29 || host === undefined || !isInNetwork(network, host.base))
    yield {
      message: `${address}/${network.prefixLength} leaves no addresses for nodes`,
      remedy: "give a /24, or a wider one",
    };
}

/** Whether nodes that run would no longer find this machine: they have its address from their last start. */
export function isReaddressed(
  { address, network }: Pick<SetupChoice, "address" | "network">,
  { journal }: Pick<SetupFacts, "journal">,
): boolean {
  if (journal === undefined) return false;
  return journal.choice.address !== address || journal.choice.prefixLength !== network.prefixLength;
}

function* rolloutConflicts(choice: SetupChoice, facts: SetupFacts): Generator<Conflict> {
  const { rollouts, journal } = facts;
  if (rollouts === undefined || "unasked" in rollouts || !isReaddressed(choice, facts)) return;
  const [first, ...more] = rollouts.running;
  if (first === undefined) return;
  yield {
    message:
      `${more.length === 0 ? `rollout ${first} runs` : `rollouts ${[first, ...more].join(", ")} run`}, and the nodes know ` +
      `this machine by its address ${journal?.choice.address}, which would change`,
    remedy: `wait for the end, or: controller rollout cancel ${first}`,
  };
}

/** Where else than on the rack's interface its network is in use: one sentence without its full stop for each. */
export function* findOtherUses(
  network: Ipv4Network,
  rack: string,
  { links, routes }: Pick<SetupFacts, "links" | "routes">,
): Generator<string> {
  const wanted = formatIpv4Network(network);
  const seen = new Set<string>();
  for (const { name, addresses } of links) {
    if (name === rack) continue;
    for (const each of addresses) {
      const theirs = parseIpv4Network(each);
      if (theirs === undefined || !networksOverlap(theirs, network)) continue;
      seen.add(name);
      yield `${wanted} is in use on ${name}, which has ${each}`;
    }
  }
  for (const { network: text, device } of routes) {
    const theirs = parseIpv4Network(text);
    if (theirs === undefined || theirs.prefixLength === 0 || device === rack || seen.has(device)) continue;
    if (networksOverlap(theirs, network)) yield `${wanted} is in use: a route to ${text} goes by ${device}`;
  }
}

function* configConflicts({ address }: SetupChoice, { listen, dhcp }: Config): Generator<Conflict> {
  if (listen !== address && listen !== "0.0.0.0" && listen !== "::")
    yield {
      message: `${setupPaths.config} has listen: ${listen}, but this machine's address in the rack is to be ${address}`,
      remedy: `set listen to ${address}, or give --address`,
    };
  if (dhcp.mode !== "none" && dhcp.interface !== rackName)
    yield {
      message: `${setupPaths.config} has dhcp.interface: ${dhcp.interface}, which will be called ${rackName}`,
      remedy: `set dhcp.interface to ${rackName}`,
    };
}

function* portConflicts({ address }: SetupChoice, facts: SetupFacts, config: Config): Generator<Conflict> {
  const inTheWay = unitsInTheWay.filter(({ unit }) => unit !== "nfs-server.service" || config.nfs.mode !== "kernel");
  for (const { unit, what, worksBy = [] } of inTheWay) {
    const state = facts.units.get(unit);
    if (state === undefined || !(state.isActive || state.enablement === "enabled")) continue;
    const work = [...facts.files].find(
      ([file, text]) => worksBy.some((place) => isAt(file, place)) && saysSomething(file, text),
    );
    if (work !== undefined)
      yield {
        message: `${unit} is in use here, by ${work[0]}, and the controller serves ${what} itself`,
        remedy: `if nobody needs it: systemctl disable --now ${unit}`,
      };
  }
  // What a setup stops frees its ports.
  const stopped = inTheWay.flatMap(({ unit, with: others = [] }) => [unit, ...others]);
  const isStopped = (unit: string | undefined): boolean => unit !== undefined && stopped.includes(unit);
  const kernelNfs = facts.units.get("nfs-server.service")?.isActive === true && config.nfs.mode !== "kernel";
  const held = facts.ports.filter(
    ({ process, port }) =>
      !isStopped(process?.unit) &&
      !(kernelNfs && (port === 2049 || process?.name === "rpc.mountd")) &&
      !["pallet-controller.service", "pallet-broker.service"].includes(process?.unit ?? ""),
  );
  for (const { message, remedy } of selectPortProblems(config, address, held)) yield { message, remedy };
}

function isAt(file: string, place: string): boolean {
  return place.endsWith("/") ? file.startsWith(place) : file === place;
}

function* firewallConflicts({ uplink }: SetupChoice, rack: Link, facts: SetupFacts): Generator<Conflict> {
  const runs = (name: string): boolean => facts.units.get(`${name}.service`)?.isActive === true;
  for (const { table, chain, hook } of facts.droppingChains) {
    if (hook === "forward" && uplink === undefined) continue;
    const remedy = runs("ufw")
      ? `ufw allow in on ${rackName}${uplink === undefined ? "" : ` && ufw route allow in on ${rackName}`}`
      : runs("firewalld")
        ? `firewall-cmd --permanent --zone=trusted --add-interface=${rackName} && firewall-cmd --reload`
        : `have it accept iifname "${rackName}"${hook === "forward" ? ` and oifname "${rackName}"` : ": the setup's own table judges that"}`;
    yield {
      message: `the chain ${chain} of the nftables table ${table} drops what it has no rule for, as what comes from ${rack.name}`,
      remedy,
    };
  }
}
