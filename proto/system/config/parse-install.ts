import { linesOf } from "./amend-lines.ts";

/** The [Install] section of a unit file (systemd.unit(5)). */
export interface InstallSection {
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly aliases: readonly string[];
  readonly also: readonly string[];
}

const keys = { WantedBy: "wantedBy", RequiredBy: "requiredBy", Alias: "aliases", Also: "also" } as const;

/** Names of units as systemd takes them; what is none is left out, above all names with "/" or a specifier in them. */
const unitName = /^[A-Za-z0-9:_.\\@-]{1,200}\.(service|socket|target|timer|path|mount|automount|swap|slice|scope)$/;

/** Whether it is the name of a unit (systemd.unit(5)). */
export function isUnitName(name: string): boolean {
  return unitName.test(name) && !name.startsWith(".");
}

/** Reads it; keys that are not about links are ignored, as is what cannot be one. */
export function parseInstall(text: string): InstallSection {
  const found: Record<(typeof keys)[keyof typeof keys], string[]> = {
    wantedBy: [],
    requiredBy: [],
    aliases: [],
    also: [],
  };
  let section = "";
  for (const line of linesOf(text.replaceAll(/\\\n/g, " "))) {
    const [, heading] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? [];
    if (heading !== undefined) section = heading;
    const [, key, value = ""] = /^\s*([A-Za-z]+)\s*=(.*)$/.exec(line) ?? [];
    if (section !== "Install" || key === undefined || !Object.hasOwn(keys, key)) continue;
    const name = keys[key as keyof typeof keys];
    // An empty value forgets those before it.
    if (value.trim() === "") found[name] = [];
    else found[name].push(...value.trim().split(/\s+/).filter(isUnitName));
  }
  return found;
}
