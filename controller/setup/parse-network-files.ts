import { matchesGlob } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Link } from "./facts.ts";

/** A file that says what an interface is to be. */
export interface InterfaceClaim {
  readonly file: string;
  /** The program that goes by it. */
  readonly by: "systemd-networkd" | "udev" | "NetworkManager" | "netplan" | "ifupdown";
  /** Whether it is for all interfaces with names like that; otherwise it is about this one. */
  readonly isWide: boolean;
}

/** The files that configure an interface by its name or its MAC address, whatever they match besides. */
export function findClaims(
  files: ReadonlyMap<string, string>,
  link: Pick<Link, "name" | "mac" | "permanentMac">,
): readonly InterfaceClaim[] {
  return [...files].flatMap(([file, text]): readonly InterfaceClaim[] => {
    const by = managerOf(file);
    const found = by === undefined ? undefined : claims[by](text, link);
    return by === undefined || found === undefined ? [] : [{ file, by, isWide: found === "wide" }];
  });
}

/** Whether systemd-networkd would act by the file once it runs. */
export function isNetworkFile(file: string): boolean {
  return /^\/(etc|run)\/systemd\/network\/[^/]+\.network$/.test(file);
}

function managerOf(file: string): InterfaceClaim["by"] | undefined {
  if (isNetworkFile(file)) return "systemd-networkd";
  if (file.startsWith("/etc/systemd/network/") && file.endsWith(".link")) return "udev";
  if (file.startsWith("/etc/NetworkManager/system-connections/")) return "NetworkManager";
  if (file.startsWith("/etc/netplan/")) return "netplan";
  if (file.startsWith("/etc/network/interfaces")) return "ifupdown";
  return undefined;
}

type Claims = (text: string, link: Pick<Link, "name" | "mac" | "permanentMac">) => "wide" | "exact" | undefined;

const claims: Readonly<Record<InterfaceClaim["by"], Claims>> = {
  "systemd-networkd": (text, link) => matchSection(text, link, "Name"),
  udev: (text, link) => matchSection(text, link, "OriginalName"),
  /** nm-settings-keyfile(5). */
  NetworkManager: (text, link) => {
    const values = sections(text).filter(({ key }) => key === "interface-name" || key === "mac-address");
    const isIts = values.some(({ key, value }) =>
      key === "interface-name" ? value === link.name : macsOf(link).includes(value.toLowerCase()),
    );
    return isIts ? "exact" : undefined;
  },
  netplan: (text, link) => {
    const read = netplan.safeParse(parseQuietly(text));
    if (!read.success) return undefined;
    const found = Object.values(read.data.network).flatMap((group) => {
      const devices = netplanDevices.safeParse(group);
      return devices.success ? Object.entries(devices.data).map(([id, device]) => matchDevice(id, device, link)) : [];
    });
    return found.find((each) => each === "exact") ?? found.find((each) => each === "wide");
  },
  /** interfaces(5): stanzas, and the words that start them. */
  ifupdown: (text, link) => {
    const lines = text
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
    const isIts = lines.some(([word = "", ...names]) => {
      if (word === "iface") return names[0] === link.name;
      if (word === "rename") return names.some((each) => each.split("=")[0] === link.name);
      return /^(auto|allow-\S+)$/.test(word) && names.includes(link.name);
    });
    return isIts ? "exact" : undefined;
  },
};

/**
 * systemd.network(5), systemd.link(5): all that [Match] says has to hold; a file without it matches everything.
 *
 * @param nameKey the key of a list of names
 */
function matchSection(text: string, link: Parameters<Claims>[1], nameKey: string): ReturnType<Claims> {
  const matches = sections(text).filter(({ section }) => section === "Match");
  const names = matches.filter(({ key }) => key === nameKey).flatMap(({ value }) => value.split(/\s+/));
  const macs = matches
    .filter(({ key }) => key === "MACAddress" || key === "PermanentMACAddress")
    .flatMap(({ value }) => value.toLowerCase().replaceAll("-", ":").split(/\s+/));
  // By type, driver or path: whether that holds, only systemd knows. Ours come first in any case.
  if (names.length === 0 && macs.length === 0) return undefined;
  if (names.length > 0 && !matchesName(names, link.name)) return undefined;
  if (macs.length > 0) return macs.some((mac) => macsOf(link).includes(mac)) ? "exact" : undefined;
  return names.includes(link.name) ? "exact" : "wide";
}

const netplan = z.object({ network: z.record(z.string(), z.unknown()) });
const netplanDevice = z
  .object({
    match: z.object({ macaddress: z.string().optional(), name: z.string().optional() }).optional(),
    "set-name": z.string().optional(),
  })
  .nullable();
const netplanDevices = z.record(z.string(), netplanDevice);

function matchDevice(
  id: string,
  device: z.infer<typeof netplanDevice>,
  link: Parameters<Claims>[1],
): ReturnType<Claims> {
  const { match, "set-name": given } = device ?? {};
  if (match === undefined) return id === link.name ? "exact" : undefined;
  const { macaddress, name } = match;
  if (macaddress !== undefined && !macsOf(link).includes(macaddress.toLowerCase())) return undefined;
  if (name !== undefined && !matchesGlob(link.name, name)) return given === link.name ? "exact" : undefined;
  if (macaddress !== undefined || name === link.name) return "exact";
  // By driver alone: whether that holds, only the system knows. Ours come first in any case.
  return name === undefined ? undefined : "wide";
}

function parseQuietly(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // netplan refuses it too.
    return undefined;
  }
}

function macsOf({ mac, permanentMac }: Pick<Link, "mac" | "permanentMac">): readonly string[] {
  return [mac, ...(permanentMac === undefined ? [] : [permanentMac])];
}

/** A list of shell patterns; one that begins with "!" is the opposite of all of it. */
function matchesName(patterns: readonly string[], name: string): boolean {
  const [first = "", ...rest] = patterns;
  const isInverted = first.startsWith("!");
  const all = isInverted ? [first.slice(1), ...rest] : patterns;
  return all.some((pattern) => pattern !== "" && matchesGlob(name, pattern)) !== isInverted;
}

/** Keys and values of files in the form of systemd.syntax(7). */
function sections(text: string): readonly { readonly section: string; readonly key: string; readonly value: string }[] {
  let section = "";
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => {
      const trimmed = line.trim();
      const header = /^\[(.+)\]$/.exec(trimmed);
      if (header !== null) section = header[1] ?? "";
      const at = trimmed.indexOf("=");
      if (header !== null || at === -1 || /^[#;]/.test(trimmed)) return [];
      return [{ section, key: trimmed.slice(0, at).trim(), value: trimmed.slice(at + 1).trim() }];
    });
}
