import type { SystemConfig, UnitConfig } from "../system-config.ts";
import type { SystemAbilities, UnitAbility } from "./abilities.ts";
import type { Edit } from "./edit.ts";
import { parseInstall } from "./parse-install.ts";

const systemdFolder = "/etc/systemd/system";
const presetPath = "/etc/systemd/system-preset/00-pallet.preset";
/** Longest chain of units that are enabled with each other (Also=). */
const mostAlso = 16;

type Units = SystemAbilities["units"];
type State = UnitConfig["state"];

/** The units of the image, and those that the config itself brings along. */
export function unitsWith(config: SystemConfig, abilities: SystemAbilities): Units {
  const brought = (config.files ?? []).flatMap(({ path, content }): readonly (readonly [string, UnitAbility])[] => {
    const [, name] = /^\/(?:etc|usr\/lib|lib)\/systemd\/system\/([^/]+)$/.exec(path) ?? [];
    if (abilities.init === "systemd" && name !== undefined && content.kind === "file")
      return [[name, { path, ...parseInstall(Buffer.from(content.bytes).toString("utf8")) }]];
    const [, script] = /^\/etc\/init\.d\/([^/]+)$/.exec(path) ?? [];
    return script !== undefined && content.kind === "file" ? [[`${script}.service`, { path }]] : [];
  });
  return { ...abilities.units, ...Object.fromEntries(brought) };
}

/** Why the image cannot start a unit, or be kept from it: a clause; undefined when it can. */
export function whyNotUnit(name: string, state: State, abilities: SystemAbilities, units: Units): string | undefined {
  const unit = findUnit(name, units);
  if (unit === undefined) return `the image has no ${name}: bring it along in files, or use an image that has it`;
  if (abilities.init === "busybox" || abilities.init === "unknown")
    return `the image's init knows no services that could be ${state}: use an image with systemd, OpenRC or System V's init`;
  if (abilities.init !== "systemd") return state === "masked" ? "only systemd can mask units: disable it" : undefined;
  if (state === "masked" && unit.path === `${systemdFolder}/${name}`)
    return `its file lies where the mask would be (${unit.path}): disable it`;
  const isInstance = /@[^.]+\./.test(name);
  if (state === "enabled" && /@\./.test(name)) return "it is a template: name an instance of it, as getty@tty1.service";
  const starts = linksOf(name, unit).length + (unit.also?.length ?? 0);
  return state === "enabled" && starts === 0 && (unit.links?.length ?? 0) === 0
    ? `it has no [Install] section${isInstance ? " in its template" : ""}, so that others start it: leave it out`
    : undefined;
}

/** What enables, disables or masks a unit. Nothing for one that whyNotUnit() refuses. */
export function planUnit(name: string, state: State, abilities: SystemAbilities, units: Units): readonly Edit[] {
  if (whyNotUnit(name, state, abilities, units) !== undefined) return [];
  switch (abilities.init) {
    case "systemd":
      return planSystemdUnit(name, state, units);
    case "openrc":
      return planOpenrcService(name, state, units);
    case "sysvinit":
      return planSysvService(name, state, units);
    default:
      return [];
  }
}

/**
 * What keeps a first boot's presets (systemd.preset(5)) from undoing it: systemd applies them when it finds no machine
 * id.
 */
export function planPresets(states: readonly UnitConfig[], abilities: SystemAbilities): readonly Edit[] {
  if (abilities.init !== "systemd") return [];
  const lines = states.map(({ name, state }) => `${state === "enabled" ? "enable" : "disable"} ${name}\n`);
  if (lines.length === 0) return [{ kind: "remove", path: presetPath, does: "removes the presets of another reimage" }];
  return [
    {
      kind: "file",
      path: presetPath,
      does: "keeps a first boot from enabling other units than these",
      content: lines.join(""),
    },
  ];
}

function planSystemdUnit(name: string, state: State, units: Units): readonly Edit[] {
  const all = withAlso(name, units);
  if (state === "enabled")
    return all.flatMap(([each, unit]) => [
      ...(unit.masked === true && unit.path !== `${systemdFolder}/${each}`
        ? [remove(`${systemdFolder}/${each}`, `unmasks ${each}`)]
        : []),
      ...linksOf(each, unit).map(
        (path): Edit => ({ kind: "link", path, does: `has ${each} start at boot`, target: unit.path }),
      ),
    ]);
  const removed = all.flatMap(([each, unit]) =>
    [...new Set([...linksOf(each, unit), ...(unit.links ?? [])])].map((path) =>
      remove(path, `keeps ${each} from starting at boot`),
    ),
  );
  if (state === "disabled") return removed;
  return [
    ...removed,
    {
      kind: "link",
      path: `${systemdFolder}/${name}`,
      does: `masks ${name}: nothing starts it`,
      target: "/dev/null",
    },
  ];
}

/** OpenRC's runlevels: links in /etc/runlevels to /etc/init.d (rc-update(8)). */
function planOpenrcService(name: string, state: State, units: Units): readonly Edit[] {
  const service = serviceOf(name);
  const links = units[name]?.links ?? [];
  if (state !== "enabled") return links.map((path) => remove(path, `keeps ${service} from starting at boot`));
  if (links.length > 0) return [];
  return [
    {
      kind: "link",
      path: `/etc/runlevels/default/${service}`,
      does: `has ${service} start at boot`,
      target: `/etc/init.d/${service}`,
    },
  ];
}

/** System V's runlevels, as update-rc.d(8) of Debian makes them without other numbers. */
function planSysvService(name: string, state: State, units: Units): readonly Edit[] {
  const service = serviceOf(name);
  const links = units[name]?.links ?? [];
  if (state !== "enabled") return links.map((path) => remove(path, `keeps ${service} from starting at boot`));
  if (links.length > 0) return [];
  return [2, 3, 4, 5].map((level) => ({
    kind: "link",
    path: `/etc/rc${level}.d/S20${service}`,
    does: `has ${service} start at boot`,
    target: `../init.d/${service}`,
  }));
}

/** The unit of a name, or the template of an instance. */
function findUnit(name: string, units: Units): UnitAbility | undefined {
  if (Object.hasOwn(units, name)) return units[name];
  const template = name.replace(/@[^.]+\./, "@.");
  return Object.hasOwn(units, template) && template !== name ? ownOf(name, units[template]) : undefined;
}

/** Of a template, the links of an instance are those that bear its name. */
function ownOf(name: string, template: UnitAbility | undefined): UnitAbility | undefined {
  return template && { ...template, links: (template.links ?? []).filter((path) => path.endsWith(`/${name}`)) };
}

function withAlso(name: string, units: Units): readonly (readonly [string, UnitAbility])[] {
  const found = new Map<string, UnitAbility>();
  const ahead = [name];
  for (let next = ahead.shift(); next !== undefined && found.size < mostAlso; next = ahead.shift()) {
    const unit = findUnit(next, units);
    if (unit === undefined || found.has(next)) continue;
    found.set(next, unit);
    ahead.push(...(unit.also ?? []));
  }
  return [...found];
}

/** The links that `systemctl enable` makes. */
function linksOf(name: string, { wantedBy = [], requiredBy = [], aliases = [] }: UnitAbility): readonly string[] {
  return [
    ...wantedBy.map((target) => `${systemdFolder}/${target}.wants/${name}`),
    ...requiredBy.map((target) => `${systemdFolder}/${target}.requires/${name}`),
    ...aliases.filter((alias) => alias !== name).map((alias) => `${systemdFolder}/${alias}`),
  ];
}

function serviceOf(name: string): string {
  return name.replace(/\.service$/, "");
}

function remove(path: string, does: string): Edit {
  return { kind: "remove", path, does };
}
