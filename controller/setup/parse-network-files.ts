import { matchesGlob } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Link } from "./facts.ts";

/** A file that says what an interface is to be. */
export interface InterfaceClaim {
  readonly file: string;
  /** The program that goes by it. */
  readonly by: "systemd-networkd" | "NetworkManager" | "netplan" | "ifupdown";
}

/** The files that configure an interface by its name or its MAC address, whatever they match besides. */
export function findClaims(
  files: ReadonlyMap<string, string>,
  link: Pick<Link, "name" | "mac" | "permanentMac">,
): readonly InterfaceClaim[] {
  return [...files].flatMap(([file, text]): readonly InterfaceClaim[] => {
    const by = managerOf(file);
    return by !== undefined && claims[by](text, link) ? [{ file, by }] : [];
  });
}

/** Whether systemd-networkd would act by the file once it runs. */
export function isNetworkFile(file: string): boolean {
  return /^\/(etc|run)\/systemd\/network\/[^/]+\.network$/.test(file);
}

function managerOf(file: string): InterfaceClaim["by"] | undefined {
  if (isNetworkFile(file)) return "systemd-networkd";
  if (file.startsWith("/etc/NetworkManager/system-connections/")) return "NetworkManager";
  if (file.startsWith("/etc/netplan/")) return "netplan";
  if (file.startsWith("/etc/network/interfaces")) return "ifupdown";
  return undefined;
}

type Claims = (text: string, link: Pick<Link, "name" | "mac" | "permanentMac">) => boolean;

const claims: Readonly<Record<InterfaceClaim["by"], Claims>> = {
  /** systemd.network(5): all that [Match] says has to hold; a file without it matches everything. */
  "systemd-networkd": (text, link) => {
    const matches = sections(text).filter(({ section }) => section === "Match");
    const names = matches.filter(({ key }) => key === "Name").flatMap(({ value }) => value.split(/\s+/));
    const macs = matches
      .filter(({ key }) => key === "MACAddress" || key === "PermanentMACAddress")
      .flatMap(({ value }) => value.toLowerCase().replaceAll("-", ":").split(/\s+/));
    const byName = names.length > 0 && matchesName(names, link.name);
    const byMac = macs.length > 0 && macs.some((mac) => macsOf(link).includes(mac));
    if (names.length > 0 && macs.length > 0) return byName && byMac;
    if (names.length > 0 || macs.length > 0) return byName || byMac;
    // By type, driver or path: whether that holds, only systemd-networkd knows. Ours come first in any case.
    return false;
  },
  /** nm-settings-keyfile(5). */
  NetworkManager: (text, link) => {
    const values = sections(text).filter(({ key }) => key === "interface-name" || key === "mac-address");
    return values.some(({ key, value }) =>
      key === "interface-name" ? value === link.name : macsOf(link).includes(value.toLowerCase()),
    );
  },
  netplan: (text, link) => {
    const read = netplan.safeParse(parseQuietly(text));
    if (!read.success) return false;
    return Object.values(read.data.network).some((group) => {
      const devices = netplanDevices.safeParse(group);
      if (!devices.success) return false;
      return Object.entries(devices.data).some(([id, device]) => {
        const { match, "set-name": given } = device ?? {};
        if (match === undefined) return id === link.name;
        if (match.macaddress !== undefined && !macsOf(link).includes(match.macaddress.toLowerCase())) return false;
        if (match.name !== undefined && !matchesGlob(link.name, match.name)) return given === link.name;
        return match.macaddress !== undefined || match.name !== undefined;
      });
    });
  },
  /** interfaces(5): stanzas, and the words that start them. */
  ifupdown: (text, link) =>
    text
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(([word = "", ...names]) =>
        word === "iface" ? names[0] === link.name : /^(auto|allow-\S+)$/.test(word) && names.includes(link.name),
      ),
};

const netplan = z.object({ network: z.record(z.string(), z.unknown()) });
const netplanDevices = z.record(
  z.string(),
  z
    .object({
      match: z.object({ macaddress: z.string().optional(), name: z.string().optional() }).optional(),
      "set-name": z.string().optional(),
    })
    .nullable(),
);

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
