import type { Keyboard, SystemConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import { linesOf, requireText, textOf, withAssignments } from "./amend-lines.ts";
import { type Edit, ifThere } from "./edit.ts";

export const machineIdPath = "/etc/machine-id";
export const dbusMachineIdPath = "/var/lib/dbus/machine-id";
export const timezonePath = "/etc/timezone";
const hostsPath = "/etc/hosts";
const keyboardPath = "/etc/default/keyboard";
const zonesFolder = "/usr/share/zoneinfo";
/** What console-setup(5) has saved of an earlier keyboard, and loads instead of asking for the new one. */
const savedKeyboardPath = "/etc/console-setup/cached_setup_keyboard.sh";
/** Console keymaps made of those of X (Fedora's kbd): the only ones whose names are layouts. */
export const keymapsFolder = "/usr/share/kbd/keymaps/xkb";

/** Names a machine for itself: host name, time zone, locale, keyboard. */
export function planIdentity(config: SystemConfig, abilities: SystemAbilities): readonly Edit[] {
  const { hostname, timezone, locale, keyboard } = config;
  return [
    ...(hostname === undefined ? [] : planHostname(hostname)),
    ...(timezone === undefined ? [] : planTimezone(timezone, abilities)),
    ...(locale === undefined ? [] : planLocale(locale, abilities)),
    ...(keyboard === undefined ? [] : planKeyboard(keyboard, abilities)),
  ];
}

/** Why the image cannot take it. */
export function judgeIdentity(config: SystemConfig, abilities: SystemAbilities): readonly string[] {
  const { hostname, timezone, locale, keyboard } = config;
  const isOpenWrt = abilities.distribution === "openwrt";
  return [
    ...(isOpenWrt && (hostname !== undefined || timezone !== undefined)
      ? [
          "hostname, timezone: OpenWrt keeps them in /etc/config/system, which Pallet does not know: bring that file along in " +
            "files, and leave them out",
        ]
      : []),
    ...(timezone !== undefined && !abilities.timezones
      ? ["timezone: the image has no tz database: use an image with it (package tzdata), or leave timezone out"]
      : []),
    ...(locale === undefined ? [] : judgeLocale(locale, abilities)),
    ...(keyboard === undefined ? [] : judgeKeyboard(keyboard, abilities)),
  ];
}

/**
 * Has the machine make an id of its own at its first boot. With systemd the file stays empty: then that boot is no "first
 * boot" to systemd, which would enable and disable units by its presets (machine-id(5)). An image that asks for such a
 * boot ("uninitialized") gets it. What else reads the file wants none in place of an empty one.
 */
export function planMachineId({ init, has }: SystemAbilities): readonly Edit[] {
  const does = "has the system make a machine id of its own";
  if (init !== "systemd") return [machineIdPath, dbusMachineIdPath].map((path) => ({ kind: "remove", path, does }));
  return [
    {
      kind: "amend",
      path: machineIdPath,
      does,
      amend: (text) => (text === undefined || text.trim() === "uninitialized" ? text : ""),
      mode: 0o444,
    },
    // Of D-Bus only a file of its own says something else: where it is a link, it leads to that one.
    ...(has.includes(dbusMachineIdPath)
      ? [{ kind: "link", path: dbusMachineIdPath, does, target: machineIdPath } as const]
      : []),
  ];
}

/** hosts(5) in which the host name, and its first label, are 127.0.1.1, as Debian does it. */
export function withHostname(text: string, hostname: string): string {
  requireText(text, hostsPath);
  const label = hostname.replace(/\..*$/, "");
  const line = `127.0.1.1\t${[...new Set([hostname, label])].join(" ")}`;
  const lines = [...linesOf(text)];
  const isOf = (address: string) => (each: string) => each.trim().split(/\s+/)[0] === address;
  const isOurs = isOf("127.0.1.1");
  const at = lines.findIndex(isOurs);
  if (at >= 0)
    return textOf(
      lines.map((each, index) => (index === at ? line : each)).filter((each, index) => index <= at || !isOurs(each)),
    );
  const loopback = lines.findIndex(isOf("127.0.0.1"));
  if (loopback < 0) lines.unshift("127.0.0.1\tlocalhost", line);
  else lines.splice(loopback + 1, 0, line);
  return textOf(lines);
}

function planHostname(hostname: string): readonly Edit[] {
  const does = `sets the host name to ${hostname}`;
  return [
    { kind: "amend", path: hostsPath, does, amend: (text = "") => withHostname(text, hostname) },
    { kind: "file", path: "/etc/hostname", does, content: `${hostname}\n` },
    {
      kind: "amend",
      // OpenRC's own, where a system has it.
      path: "/etc/conf.d/hostname",
      does: ifThere(does),
      amend: (text) =>
        text === undefined ? text : withAssignments(requireText(text, "/etc/conf.d/hostname"), { hostname }),
    },
  ];
}

function planTimezone(timezone: string, { has }: SystemAbilities): readonly Edit[] {
  const zone = `${zonesFolder}/${timezone}`;
  const does = `sets the time zone to ${timezone}`;
  return [
    {
      kind: "require",
      path: zone,
      does,
      otherwise: `timezone: the image has no ${zone}: name another one, or use an image that has it (package tzdata-legacy?)`,
    },
    { kind: "link", path: "/etc/localtime", does, target: zone },
    ...(has.includes(timezonePath)
      ? [{ kind: "file", path: timezonePath, does, content: `${timezone}\n` } as const]
      : []),
  ];
}

function planLocale(locale: string, { localeFile }: SystemAbilities): readonly Edit[] {
  if (localeFile === undefined) return [];
  return [
    {
      kind: "amend",
      path: localeFile,
      does: `sets the locale to ${locale}`,
      amend: (text = "") => {
        requireText(text, localeFile);
        // These count before LANG: what the image says in them would undo it.
        const also = ["LC_ALL", "LANGUAGE"].filter((name) => new RegExp(`^\\s*(export\\s+)?${name}=`, "m").test(text));
        return withAssignments(text, Object.fromEntries(["LANG", ...also].map((name) => [name, locale])));
      },
    },
  ];
}

function judgeLocale(locale: string, { locales, localeFile }: SystemAbilities): readonly string[] {
  if (localeFile === undefined) return ["locale: it is unknown where this kind of system keeps it: leave locale out"];
  if (["C", "POSIX"].includes(locale) || locales.some((each) => canonical(each) === canonical(locale))) return [];
  const known = locales.length === 0 ? "none" : locales.slice(0, 8).join(", ");
  return [
    `locale: the image has no locale ${locale} (it has ${known}): make it in the image (locale-gen), or name one of these`,
  ];
}

/** Locales' names as glibc compares them: the character set in lower case, without "-". */
function canonical(locale: string): string {
  const [, name = locale, set = "", modifier = ""] = /^([^.@]+)(\.[^@]+)?(@.+)?$/.exec(locale) ?? [];
  return `${name}${set.toLowerCase().replaceAll("-", "")}${modifier}`;
}

function planKeyboard({ layout, model, variant = "" }: Keyboard, { keyboard }: SystemAbilities): readonly Edit[] {
  const does = `sets the keyboard to ${[layout, variant].filter((word) => word !== "").join(" ")}`;
  if (keyboard === "keyboard-configuration")
    return [
      {
        kind: "amend",
        path: keyboardPath,
        does,
        amend: (text = "") =>
          withAssignments(requireText(text, keyboardPath), {
            ...(model !== undefined && { XKBMODEL: model }),
            XKBLAYOUT: layout,
            XKBVARIANT: variant,
          }),
      },
      { kind: "remove", path: savedKeyboardPath, does: "forgets the keyboard that the image had" },
    ];
  if (keyboard !== "vconsole") return [];
  const keymap = variant === "" ? layout : `${layout}-${variant}`;
  const file = `${keymapsFolder}/${keymap}.map.gz`;
  return [
    { kind: "require", path: file, does, otherwise: `keyboard: the image has no ${file}: name another layout` },
    {
      kind: "amend",
      path: "/etc/vconsole.conf",
      does,
      amend: (text = "") => withAssignments(requireText(text, "/etc/vconsole.conf"), { KEYMAP: keymap }),
    },
  ];
}

function judgeKeyboard({ model }: Keyboard, { keyboard }: SystemAbilities): readonly string[] {
  if (keyboard === undefined)
    return [
      "keyboard: the image has nothing that sets the console's keyboard by its layout (package keyboard-configuration): leave it out",
    ];
  if (keyboard === "vconsole" && model !== undefined)
    return ["keyboard.model: the image's console has keymaps, which know no models: leave it out"];
  return [];
}
