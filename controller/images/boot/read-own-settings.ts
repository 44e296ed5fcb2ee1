import { type SettingsField, settingsFields } from "../catalogue/own-settings.ts";

/** What each section of custom.toml and rpi-preseed.toml sets, by its keys; "*" for the section whatever is in it. */
const tomlSections: Readonly<Record<string, Readonly<Record<string, SettingsField>>>> = {
  system: { "*": "hostname" },
  user: { "*": "users" },
  ssh: { enabled: "ssh.enabled", authorized_keys: "users", ssh_import_id: "users" },
  wlan: { "*": "network.wifi" },
  locale: { keymap: "keyboard", timezone: "timezone", locale: "locale" },
};

/**
 * What settings of Raspberry Pi Imager in TOML set. Not a whole reader of TOML: whatever looks like a section or a key
 * counts as one, so that nothing is overlooked.
 */
export function readTomlSettings(text: string): readonly SettingsField[] {
  const found = new Set<SettingsField>();
  let section = "";
  const note = (name: string, key: string): void => {
    const keys = Object.hasOwn(tomlSections, name) ? (tomlSections[name] ?? {}) : {};
    for (const [each, field] of Object.entries(keys)) if (each === "*" || key === "*" || each === key) found.add(field);
  };
  for (const line of text.split(/\r?\n/)) {
    const [, header] = /^\s*\[+\s*["']?([\w-]+)/.exec(line) ?? [];
    if (header !== undefined) section = header;
    const [, key, dotted] = /^\s*["']?([\w-]+)["']?\s*(?:\.\s*["']?([\w-]+)["']?\s*)?=/.exec(line) ?? [];
    if (key === undefined) continue;
    if (dotted !== undefined) note(key, dotted);
    else if (/=\s*\{/.test(line)) note(key, "*");
    note(section, key);
  }
  return inOrder(found);
}

/** Words by which a script changes a part of the system: as Raspberry Pi Imager's firstrun.sh does, or by hand. */
const scriptWords: readonly (readonly [RegExp, SettingsField])[] = [
  [/set_hostname|\/etc\/hostname|\bhostnamectl\b|do_hostname|\/etc\/hosts\b/, "hostname"],
  [/set_timezone|do_change_timezone|\/etc\/(timezone|localtime)\b|\btimedatectl\b/, "timezone"],
  [/do_change_locale|\/etc\/default\/locale|\/etc\/locale\.conf|\blocalectl\b|\bupdate-locale\b/, "locale"],
  [/set_keymap|do_configure_keyboard|\/etc\/default\/keyboard|\blocalectl\b/, "keyboard"],
  [/userconf|\b(user(add|mod|del)|adduser|chpasswd|passwd|groupmod)\b|authorized_keys|import_ssh_id/, "users"],
  [/enable_ssh|systemctl\b.*\bssh|do_ssh/, "ssh.enabled"],
  [/ssh_host_|ssh-keygen/, "ssh.hostKeys"],
  [/set_wlan|wpa_supplicant|\.nmconnection|\bnmcli\b|do_wifi/, "network.wifi"],
];

/** What a script sets, by the words in it. */
export function readScriptSettings(text: string): readonly SettingsField[] {
  // Imager looks up the first user in passwd(5) whether or not it changes it.
  const plain = text.replaceAll(/getent passwd/g, "");
  return inOrder(new Set(scriptWords.filter(([words]) => words.test(plain)).map(([, field]) => field)));
}

/**
 * What the value of cloud-init's user data sets of what Pallet's own settings of it (`renderCloudConfig`) cannot keep it from: user
 * data counts before those. A host name does not: preserve_hostname keeps it off, and network-config, which is disabled. What
 * ssh_pwauth writes comes behind Pallet's in sshd_config.d.
 */
export function readUserData(value: unknown): readonly SettingsField[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object" || Array.isArray(value)) return settingsFields;
  const data: Readonly<Record<string, unknown>> = { ...value };
  const has = (...keys: readonly string[]) => keys.some((key) => Object.hasOwn(data, key) && data[key] !== null);
  const isOn = (key: string) => has(key) && data[key] !== false && data[key] !== "false";
  const found = new Set<SettingsField>();
  const preserves = data["preserve_hostname"];
  const renames = has("hostname", "fqdn") && preserves !== undefined && preserves !== true;
  if (isOn("manage_etc_hosts") || renames) found.add("hostname");
  if (has("timezone")) found.add("timezone");
  if (isOn("locale")) found.add("locale");
  if (has("keyboard")) found.add("keyboard");
  // Of the user of the distribution there is none then: what is said of it without its name changes nobody.
  if (has("users", "user", "chpasswd", "rpi_userconf")) found.add("users");
  if (isOn("enable_ssh")) found.add("ssh.enabled");
  if (isOn("ssh_deletekeys") || has("ssh_keys", "ssh_genkeytypes")) found.add("ssh.hostKeys");
  return inOrder(found);
}

/** The users that user data names; undefined if it may change others, too. Ubuntu's own sets a password of "ubuntu". */
export function readUserNames(value: unknown): readonly string[] | undefined {
  if (typeof value !== "object" || value === null || "rpi_userconf" in value) return undefined;
  const data: Readonly<Record<string, unknown>> = { ...value };
  const lists = [data["users"], data["user"], partOf(data["chpasswd"], "users"), partOf(data["chpasswd"], "list")];
  const names = lists.flatMap((list) =>
    Array.isArray(list) ? list : typeof list === "string" ? list.split("\n") : [list],
  );
  const found: string[] = [];
  for (const each of names) {
    const name = typeof each === "string" ? each : partOf(each, "name");
    // "default" is the distribution's own; "ubuntu:ubuntu" is a line of chpasswd(8).
    if (typeof name === "string" && name !== "default" && name !== "") found.push(name.replace(/:.*$/s, ""));
    else if (each !== undefined && each !== null && each !== "default" && each !== "") return undefined;
  }
  return [...new Set(found)];
}

function partOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function inOrder(found: ReadonlySet<SettingsField>): readonly SettingsField[] {
  return settingsFields.filter((field) => found.has(field));
}
