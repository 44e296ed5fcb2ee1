import { Failure } from "../../failure.ts";
import { limits } from "../../limits.ts";
import { chooseInitSystem, initPath, inittabPath, systemdPaths } from "../choose-init-system.ts";
import type { RootView } from "../examine-root.ts";
import type { NetworkAbilities, NetworkManager, SystemAbilities, UnitAbility } from "./abilities.ts";
import { accountPaths, entriesOf } from "./account-files.ts";
import { linesOf } from "./amend-lines.ts";
import { hostKeyAlgorithms } from "./openssh-key.ts";
import { isUnitName, parseInstall } from "./parse-install.ts";
import { parseLocaleArchive } from "./parse-locale-archive.ts";
import { firstBootPaths } from "./plan-first-boot.ts";
import { dbusMachineIdPath, keymapsFolder, timezonePath } from "./plan-identity.ts";
import { interfacesPath, radiosFolder } from "./plan-network.ts";
import { dropbearFolder, includesDropIns, regeneratorPath, sshdConfigPath } from "./plan-ssh.ts";

/** A root filesystem in which folders can be listed, too. */
export interface ListedRoot extends RootView {
  /** Names of what is in a folder, in any order; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
}

const mostNames = limits.config.systemNames.most;
const systemdFolder = "/etc/systemd/system";
/** Where units are, the first of a name counting (systemd.unit(5)). */
const unitFolders = [systemdFolder, "/usr/lib/systemd/system", "/lib/systemd/system"];
/** More is no unit file. */
const unitBytes = 64 * 1024;
const unitsAtOnce = 8;
/** dropbear has 200 to 500 KB. */
const serverBytes = 4 * 1024 * 1024;
const localeArchiveBytes = 1024 * 1024;
const usualShells = ["/bin/bash", "/usr/bin/bash", "/bin/ash", "/bin/sh"];

/** Examines what a system can be told. Rejects with what the view rejects with. */
export async function examineAbilities(root: ListedRoot): Promise<SystemAbilities> {
  const has = async (path: string) => (await root.resolve(path)) !== undefined;
  const hasAny = async (...paths: readonly string[]) => (await firstOf(root, paths)) !== undefined;
  const init = await findInit(root, hasAny);
  const units = await (init === "systemd" ? findUnits(root) : findServices(root, init));
  const release = (await readSmall(root, "/etc/os-release")) ?? (await readSmall(root, "/usr/lib/os-release")) ?? "";
  const localeFile = await findLocaleFile(root, release, init);
  const keyboard = await findKeyboard(has);
  const ssh = await findSsh(root, hasAny);
  return {
    init,
    distribution: /^ID="?([a-z0-9._-]{1,64})"?$/m.exec(release)?.[1] ?? "linux",
    users: await findUsers(root),
    groups: await findGroups(root),
    shells: await findShells(root, has),
    sudo: (await hasAny("/usr/bin/sudo")) && includesSudoers((await readSmall(root, "/etc/sudoers")) ?? ""),
    timezones: await has("/usr/share/zoneinfo/Etc/UTC"),
    locales: await findLocales(root),
    ...(localeFile !== undefined && { localeFile }),
    ...(keyboard !== undefined && { keyboard }),
    ...(ssh !== undefined && { ssh }),
    network: await findNetwork(units, init, has, hasAny),
    cloudInit: await hasAny("/usr/bin/cloud-init"),
    units,
    radios: (await root.list(radiosFolder)).filter((name) => /^[A-Za-z0-9_.:-]+$/.test(name)).slice(0, mostNames),
    has: await findNoticed(root, has),
  };
}

type Has = (path: string) => Promise<boolean>;
type HasAny = (...paths: readonly string[]) => Promise<boolean>;

async function findInit(root: ListedRoot, hasAny: HasAny): Promise<SystemAbilities["init"]> {
  const system = chooseInitSystem({
    init: await root.resolve(initPath),
    systemd: await firstOf(root, systemdPaths),
    inittab: await readSmall(root, inittabPath),
  });
  if (system === "systemd") return system;
  // OpenRC is started by another init, or by its own.
  if (await hasAny("/sbin/openrc", "/usr/sbin/openrc", "/usr/bin/openrc")) return "openrc";
  return system ?? "unknown";
}

async function findUsers(root: ListedRoot): Promise<SystemAbilities["users"]> {
  return entriesOf((await readSmall(root, accountPaths.passwd)) ?? "")
    .slice(0, mostNames)
    .map(([name = "", , uid, gid, , home = ""]) => ({ name, uid: Number(uid), gid: Number(gid), home }))
    .filter(({ uid, gid }) => Number.isSafeInteger(uid) && Number.isSafeInteger(gid));
}

async function findGroups(root: ListedRoot): Promise<SystemAbilities["groups"]> {
  return entriesOf((await readSmall(root, accountPaths.group)) ?? "")
    .slice(0, mostNames)
    .map(([name = "", , gid]) => ({ name, gid: Number(gid) }))
    .filter(({ gid }) => Number.isSafeInteger(gid));
}

async function findShells(root: ListedRoot, has: Has): Promise<readonly string[]> {
  const listed = linesOf((await readSmall(root, "/etc/shells")) ?? "").filter((line) =>
    /^\/[\w./-]{1,100}$/.test(line),
  );
  const found: string[] = [];
  for (const path of [...new Set([...usualShells, ...listed.slice(0, 64)])]) if (await has(path)) found.push(path);
  return found;
}

async function findLocales(root: ListedRoot): Promise<readonly string[]> {
  const folders = (await root.list("/usr/lib/locale")).filter((name) => name !== "locale-archive");
  const archive = await root.readStart("/usr/lib/locale/locale-archive", localeArchiveBytes);
  const archived = archive === undefined ? [] : parseLocaleArchive(archive, mostNames);
  return [...new Set([...folders, ...archived])].filter((name) => /^[A-Za-z0-9_.@-]{1,64}$/.test(name)).sort();
}

/** Debian keeps it in /etc/default/locale, which may be a link; systemd in /etc/locale.conf. */
async function findLocaleFile(
  root: ListedRoot,
  release: string,
  init: SystemAbilities["init"],
): Promise<string | undefined> {
  const debian = await root.resolve("/etc/default/locale");
  if (debian !== undefined) return debian;
  if (/^ID(_LIKE)?="?([a-z ]*\b)?(debian|ubuntu|raspbian)\b/m.test(release)) return "/etc/default/locale";
  return init === "systemd" ? "/etc/locale.conf" : undefined;
}

async function findKeyboard(has: Has): Promise<SystemAbilities["keyboard"]> {
  if ((await has("/etc/default/keyboard")) || (await has("/usr/bin/setupcon")) || (await has("/bin/setupcon")))
    return "keyboard-configuration";
  return (await has(keymapsFolder)) ? "vconsole" : undefined;
}

async function findSsh(root: ListedRoot, hasAny: HasAny): Promise<SystemAbilities["ssh"]> {
  if (await hasAny("/usr/sbin/sshd"))
    return { server: "openssh", dropIns: includesDropIns((await readSmall(root, sshdConfigPath)) ?? "") };
  const dropbear = await firstOf(root, ["/usr/sbin/dropbear", "/usr/bin/dropbear"]);
  if (dropbear === undefined) return undefined;
  const program = (await root.readStart(dropbear, serverBytes)) ?? Buffer.of();
  const isFolder = (await root.resolve(dropbearFolder)) === dropbearFolder;
  return {
    server: "dropbear",
    dropIns: false,
    algorithms: hostKeyAlgorithms.filter((algorithm) => program.includes(algorithm)),
    // Where it leads, and whether to anything: a link, and no folder.
    ...(!isFolder && (await root.list("/etc")).includes("dropbear") && { hasLinkedKeys: true }),
  };
}

async function findNetwork(
  units: SystemAbilities["units"],
  init: SystemAbilities["init"],
  has: Has,
  hasAny: HasAny,
): Promise<NetworkAbilities> {
  const starts = (name: string) => (units[name]?.links ?? []).length > 0;
  const hasSupplicant = await hasAny("/usr/sbin/wpa_supplicant", "/sbin/wpa_supplicant");
  const manager = await findManager(starts, units, init, has, hasAny);
  const resolver = starts("systemd-resolved.service")
    ? "systemd-resolved"
    : (await hasAny("/usr/sbin/resolvconf", "/sbin/resolvconf"))
      ? "resolvconf"
      : undefined;
  const joins = hasSupplicant || (manager === "NetworkManager" && (await hasAny("/usr/libexec/iwd")));
  const wifi = manager === "NetworkManager" ? "NetworkManager" : "wpa_supplicant";
  return {
    ...(manager !== undefined && { manager }),
    ...(resolver !== undefined && { resolver }),
    ...(joins && { wifi }),
  };
}

/** NetworkManager before netplan: where both are, netplan hands everything to it. */
async function findManager(
  starts: (name: string) => boolean,
  units: SystemAbilities["units"],
  init: SystemAbilities["init"],
  has: Has,
  hasAny: HasAny,
): Promise<NetworkManager | undefined> {
  if (starts("NetworkManager.service") || starts("networkmanager.service")) return "NetworkManager";
  const generator = ["/usr/lib/systemd/system-generators/netplan", "/lib/systemd/system-generators/netplan"];
  if (init === "systemd" && (await hasAny(...generator))) return "netplan";
  if (starts("systemd-networkd.service")) return "systemd-networkd";
  if (starts("dhcpcd.service")) return "dhcpcd";
  const hasIfup = await hasAny("/sbin/ifup", "/usr/sbin/ifup");
  const isStarted =
    starts("networking.service") ||
    (init === "busybox" && Object.keys(units).some((name) => /^S\d\dnetwork(ing)?\.service$/.test(name)));
  return hasIfup && isStarted && (await has(interfacesPath)) ? "ifupdown" : undefined;
}

/** sudoers(5): both spellings of the word. */
function includesSudoers(text: string): boolean {
  return /^[#@]includedir\s+\/etc\/sudoers\.d\s*$/m.test(text);
}

async function findUnits(root: ListedRoot): Promise<SystemAbilities["units"]> {
  const { links, masked } = await findUnitLinks(root);
  const units = new Map<string, UnitAbility>();
  const seen = new Set<string>();
  for (const folder of unitFolders) {
    const place = await root.resolve(folder);
    // With a merged /usr two of them are one.
    if (place === undefined || seen.has(place)) continue;
    seen.add(place);
    const names = (await root.list(place)).slice(0, mostNames).filter(
      // A mask hides a unit that is elsewhere.
      (name) => isUnitName(name) && !units.has(name) && !(folder === systemdFolder && masked.has(name)),
    );
    for (const [name, install] of await readInstalls(root, place, names))
      units.set(name, {
        path: `${folder}/${name}`,
        ...install,
        ...(masked.has(name) && { masked: true }),
        ...withLinks(linksTo(name, links)),
      });
  }
  return Object.fromEntries(units);
}

/** What units say under [Install], some at a time; those that are no files are left out. */
async function readInstalls(
  root: ListedRoot,
  folder: string,
  names: readonly string[],
): Promise<readonly (readonly [string, Omit<UnitAbility, "path">])[]> {
  const found: (readonly [string, Omit<UnitAbility, "path">])[] = [];
  for (let from = 0; from < names.length; from += unitsAtOnce)
    found.push(
      ...(
        await Promise.all(
          names.slice(from, from + unitsAtOnce).map(async (name) => {
            const text = await root.readStart(`${folder}/${name}`, unitBytes);
            const { wantedBy, requiredBy, aliases, also } = parseInstall(text?.toString("utf8") ?? "");
            const install = {
              ...(wantedBy.length > 0 && { wantedBy }),
              ...(requiredBy.length > 0 && { requiredBy }),
              ...(aliases.length > 0 && { aliases }),
              ...(also.length > 0 && { also }),
            };
            return text === undefined ? [] : ([[name, install]] as const);
          }),
        )
      ).flat(),
    );
  return found;
}

/** Links of a template's instances are the template's, too. */
function linksTo(name: string, links: ReadonlyMap<string, readonly string[]>): readonly string[] {
  if (!name.includes("@.")) return links.get(name) ?? [];
  const [prefix = "", suffix = ""] = name.split("@.");
  return [...links].flatMap(([each, paths]) =>
    each.startsWith(`${prefix}@`) && each.endsWith(`.${suffix}`) ? paths : [],
  );
}

function withLinks(links: readonly string[]) {
  return links.length > 0 ? { links: [...links].sort() } : {};
}

/** What `systemctl enable` and `mask` have made: links in /etc/systemd/system by the names of their units. */
async function findUnitLinks(root: ListedRoot) {
  const links = new Map<string, string[]>();
  const masked = new Set<string>();
  const note = (name: string, path: string) => links.set(name, [...(links.get(name) ?? []), path]);
  for (const name of (await root.list(systemdFolder)).slice(0, mostNames)) {
    const path = `${systemdFolder}/${name}`;
    if (/\.(wants|requires|upholds)$/.test(name)) {
      for (const unit of (await root.list(path)).slice(0, mostNames))
        if (isUnitName(unit)) note(unit, `${path}/${unit}`);
      continue;
    }
    if (!isUnitName(name)) continue;
    const end = await root.resolve(path);
    if (end === path) continue;
    // /dev of an image may be empty.
    if (end === undefined || end === "/dev/null") masked.add(name);
    else note(end.replace(/^.*\//, ""), path);
  }
  return { links, masked };
}

/** Services of OpenRC and System V's init: scripts in /etc/init.d, and links of runlevels to them. */
async function findServices(root: ListedRoot, init: SystemAbilities["init"]): Promise<SystemAbilities["units"]> {
  const links = new Map<string, string[]>();
  const note = (name: string, path: string) => links.set(name, [...(links.get(name) ?? []), path]);
  if (init === "openrc")
    for (const level of (await root.list("/etc/runlevels")).slice(0, 64))
      for (const name of await root.list(`/etc/runlevels/${level}`)) note(name, `/etc/runlevels/${level}/${name}`);
  if (init === "sysvinit")
    for (const level of ["S", "2", "3", "4", "5"])
      for (const name of await root.list(`/etc/rc${level}.d`)) {
        const [, service] = /^S\d\d(.+)$/.exec(name) ?? [];
        if (service !== undefined) note(service, `/etc/rc${level}.d/${name}`);
      }
  const scripts = (await root.list("/etc/init.d"))
    .slice(0, mostNames)
    .filter((name) => /^[A-Za-z0-9_.+-]+$/.test(name));
  return Object.fromEntries(
    scripts.map((name) => [`${name}.service`, { path: `/etc/init.d/${name}`, ...withLinks(links.get(name) ?? []) }]),
  );
}

async function findNoticed(root: ListedRoot, has: Has): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of [timezonePath, regeneratorPath, ...firstBootPaths]) if (await has(path)) found.push(path);
  // A link to /etc/machine-id says nothing of its own.
  if ((await root.resolve(dbusMachineIdPath)) === dbusMachineIdPath) found.push(dbusMachineIdPath);
  return found;
}

async function firstOf(root: ListedRoot, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if ((await root.resolve(path)) !== undefined) return path;
  return undefined;
}

/** The text of a file that people write; one that is longer than any of those is refused. */
async function readSmall(root: ListedRoot, path: string): Promise<string | undefined> {
  const bytes = await root.readStart(path, limits.config.systemFileBytes.most + 1);
  if (bytes !== undefined && bytes.length > limits.config.systemFileBytes.most)
    throw new Failure("invalid", `${path} of the image is longer than ${limits.config.systemFileBytes.most} bytes`);
  return bytes?.toString("utf8");
}
