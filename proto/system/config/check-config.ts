import { limits } from "../../limits.ts";
import type {
  FileConfig,
  InterfaceConfig,
  Keyboard,
  SshConfig,
  SystemConfig,
  UserConfig,
  WifiConfig,
} from "../system-config.ts";
import { taskSchema } from "../tasks/task-schema.ts";
import { familyOf, isOfHost, isReached, parsePrefixed } from "./ip-address.ts";
import { parseHostKey } from "./openssh-key.ts";
import { isUnitName } from "./parse-install.ts";
import { isPlainPath } from "./plain-path.ts";

/** Something that no system can be told. */
export interface ConfigProblem {
  /** As in `users[0].name`: names of SystemConfig, indices of its lists. */
  readonly field: string;
  /** A clause for people, without secrets: "is not the name of a time zone". */
  readonly problem: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\x00-\x1f\x7f]/;

/**
 * Where no file is placed: what the kernel and the first processes of a boot mount something over, and what Pallet itself
 * writes.
 */
const closedFolders = ["/dev", "/proc", "/sys", "/run", "/tmp", "/etc/pallet", "/usr/lib/pallet"];

/** Every problem of a config by itself, whatever the image is. Costs at most as much as the config is long. */
export function findConfigProblems(config: SystemConfig): readonly ConfigProblem[] {
  const { hostname, timezone, locale, keyboard, users, ssh, network, files, units, tasks, userData } = config;
  const bytes = countBytes(config, limits.config.bytes.most);
  if (bytes > limits.config.bytes.most)
    return [
      { field: "files", problem: `and all other fields together are longer than ${limits.config.bytes.most} bytes` },
    ];
  return [
    ...when(hostname, "hostname", checkHostname),
    ...when(timezone, "timezone", checkTimezone),
    ...when(locale, "locale", checkLocale),
    ...when(keyboard, "keyboard", checkKeyboard),
    ...each(users, "users", limits.config.users.most, checkUser),
    ...unique(users, "users", "name", ({ name }) => name),
    ...unique(users, "users", "uid", ({ uid }) => uid),
    ...when(ssh, "ssh", checkSsh),
    ...each(network?.interfaces, "network.interfaces", limits.config.interfaces.most, checkInterface),
    ...unique(network?.interfaces, "network.interfaces", "name", ({ name }) => name),
    ...when(network?.wifi, "network.wifi", checkWifi),
    ...each(files, "files", limits.config.files.most, checkFile),
    ...unique(files, "files", "path", ({ path }) => path),
    ...checkNesting(files ?? []),
    ...each(units, "units", limits.config.units.most, ({ name }, field) =>
      isUnitName(name) ? [] : [{ field: `${field}.name`, problem: 'is not the name of a unit, like "docker.service"' }],
    ),
    ...unique(units, "units", "name", ({ name }) => name),
    ...each(tasks, "tasks", limits.tasks.ofNode.most, checkTask),
    ...unique(tasks, "tasks", "name", ({ name }) => name),
    ...when(userData, "userData", checkUserData),
  ];
}

type Check<T> = (value: T, field: string) => readonly ConfigProblem[];

function when<T>(value: T | undefined, field: string, check: Check<T>): readonly ConfigProblem[] {
  return value === undefined ? [] : check(value, field);
}

function each<T>(list: readonly T[] | undefined, field: string, mostItems: number, check: Check<T>) {
  if (list === undefined) return [];
  if (list.length > mostItems) return [{ field, problem: `are ${list.length}: at most ${mostItems} are taken` }];
  return list.flatMap((item, index) => check(item, `${field}[${index}]`));
}

function unique<T>(list: readonly T[] | undefined, field: string, name: string, keyOf: (item: T) => unknown) {
  const seen = new Set<unknown>();
  return (list ?? []).flatMap((item, index): readonly ConfigProblem[] => {
    const key = keyOf(item);
    const isRepeated = key !== undefined && seen.has(key);
    seen.add(key);
    return isRepeated ? [{ field: `${field}[${index}].${name}`, problem: "is there twice" }] : [];
  });
}

function ensure(condition: boolean, field: string, problem: string): readonly ConfigProblem[] {
  return condition ? [] : [{ field, problem }];
}

/** hostname(7), RFC 1123: what is not a name breaks /etc/hosts, and every prompt. */
function checkHostname(name: string, field: string): readonly ConfigProblem[] {
  const isName =
    name.length <= 64 && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name);
  return ensure(
    isName && !/^\d+(\.\d+)*$/.test(name),
    field,
    'is not a host name: at most 64 of a-z, 0-9, "-" and "."',
  );
}

function checkTimezone(name: string, field: string): readonly ConfigProblem[] {
  const isForm = name.length <= 64 && /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z][A-Za-z0-9_+-]*){0,2}$/.test(name);
  return ensure(isForm, field, 'is not the name of a time zone, like "Europe/Zurich"');
}

function checkLocale(name: string, field: string): readonly ConfigProblem[] {
  const isForm = name.length <= 64 && /^(C|POSIX|[a-z]{2,3}(_[A-Z]{2})?)(\.[A-Za-z0-9-]+)?(@[a-z]+)?$/.test(name);
  return ensure(isForm, field, 'is not the name of a locale, like "de_CH.UTF-8"');
}

function checkKeyboard({ layout, model, variant }: Keyboard, field: string): readonly ConfigProblem[] {
  const isWord = (word: string) => /^[A-Za-z0-9_,-]{1,64}$/.test(word);
  return [
    ...ensure(isWord(layout), `${field}.layout`, 'is not a layout of xkeyboard-config(7), like "ch"'),
    ...ensure(model === undefined || isWord(model), `${field}.model`, "is not a model of xkeyboard-config(7)"),
    ...ensure(variant === undefined || isWord(variant), `${field}.variant`, "is not a variant of xkeyboard-config(7)"),
  ];
}

function checkUser(user: UserConfig, field: string): readonly ConfigProblem[] {
  const { name, uid, fullName, shell, groups, passwordHash, authorizedKeys } = user;
  return [
    ...ensure(isAccountName(name), `${field}.name`, 'is not the name of a user: at most 32 of a-z, 0-9, "_" and "-"'),
    ...ensure(
      uid === undefined ||
        (Number.isSafeInteger(uid) && uid >= 0 && uid < 2 ** 32 - 2 && uid !== 65_534 && uid !== 65_535),
      `${field}.uid`,
      "is not a number that a user can have",
    ),
    ...ensure(
      fullName === undefined || (fullName.length <= 256 && !/[:]/.test(fullName) && !control.test(fullName)),
      `${field}.fullName`,
      'is longer than 256 characters, or has ":" or control characters in it',
    ),
    ...ensure(
      shell === undefined || (isPlainPath(shell) && !/[:\s]/.test(shell)),
      `${field}.shell`,
      'is not the absolute path of a program, like "/bin/bash"',
    ),
    ...each(groups, `${field}.groups`, limits.config.userGroups.most, (group, at) =>
      ensure(isAccountName(group), at, "is not the name of a group"),
    ),
    ...unique(groups, `${field}.groups`, "name", (group) => group),
    ...ensure(
      passwordHash === undefined || isPasswordHash(passwordHash),
      `${field}.passwordHash`,
      'is not a hash of crypt(5), like "$y$…" or "$6$…": make one by "mkpasswd" or "openssl passwd -6"',
    ),
    ...each(authorizedKeys, `${field}.authorizedKeys`, limits.config.authorizedKeys.most, (line, at) =>
      ensure(
        line.length <= limits.config.authorizedKeyCharacters.most &&
          !control.test(line.replaceAll("\t", " ")) &&
          isKeyLine(line),
        at,
        'is not a line of authorized_keys, like "ssh-ed25519 AAAA… comment"',
      ),
    ),
  ];
}

function isAccountName(name: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(name);
}

/** A hash of a method that is still thought to be one; "*" and "!" let nobody in, and are taken, too. */
function isPasswordHash(text: string): boolean {
  return text.length <= 512 && /^(\*|!\*?|\$(y|gy|7|2[aby]|6|5|1)\$[A-Za-z0-9./=,$]+)$/.test(text);
}

/** A key, perhaps behind options; sshd(8) ignores lines that have none. */
function isKeyLine(line: string): boolean {
  return /(^|\s)(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+)(-cert-v01@openssh\.com)? AAAA[A-Za-z0-9+/]+={0,2}(\s|$)/.test(
    line,
  );
}

function checkSsh({ hostKeys, ownHostKeys }: SshConfig, field: string): readonly ConfigProblem[] {
  const algorithms = new Set<string>();
  return [
    ...ensure(
      hostKeys === undefined || ownHostKeys !== false,
      `${field}.hostKeys`,
      "are given, and ownHostKeys is false: one of them has to go",
    ),
    ...each(hostKeys, `${field}.hostKeys`, limits.config.hostKeys.most, (text, at) => {
      const key = text.length <= limits.config.hostKeyCharacters.most ? parseHostKey(text) : undefined;
      if (key === undefined)
        return [{ field: at, problem: "is not a private key in OpenSSH's format or PEM, without a passphrase" }];
      const isRepeated = algorithms.has(key.algorithm.replace(/-nistp\d+$/, ""));
      algorithms.add(key.algorithm.replace(/-nistp\d+$/, ""));
      return ensure(!isRepeated, at, `is a second key of its algorithm (${key.algorithm})`);
    }),
  ];
}

function checkInterface(config: InterfaceConfig, field: string): readonly ConfigProblem[] {
  const { name, addresses, gateways, dns, searchDomains } = config;
  const families = (gateways ?? []).map(familyOf);
  const known = (addresses ?? []).map(parsePrefixed).filter((each) => each !== undefined);
  return [
    // IFNAMSIZ of Linux, and what ifupdown, udev and shell wildcards need of it.
    ...ensure(
      /^[A-Za-z*?[][A-Za-z0-9_.*?[\]-]{0,30}$/.test(name),
      `${field}.name`,
      'is not the name of an interface, like "eth0" or "en*"',
    ),
    ...ensure(
      /[*?[\]]/.test(name) || name.length <= 15,
      `${field}.name`,
      "is longer than the 15 characters of an interface's name",
    ),
    ...each(addresses, `${field}.addresses`, limits.config.addresses.most, (address, at) => checkAddress(address, at)),
    ...unique(addresses, `${field}.addresses`, "address", (address) => address),
    ...each(gateways, `${field}.gateways`, 2, (gateway, at) =>
      ensure(familyOf(gateway) !== undefined, at, "is not an IP address"),
    ),
    // Of the list: an address that it could be beside may be another profile's.
    ...ensure(
      known.length === 0 || (gateways ?? []).every((gateway) => isReached(gateway, known)),
      `${field}.gateways`,
      "are in no network of this interface's addresses: nothing would be sent there",
    ),
    ...ensure(new Set(families).size === families.length, `${field}.gateways`, "are two of one family"),
    ...ensure(
      (gateways ?? []).length === 0 || (addresses ?? []).length > 0,
      `${field}.gateways`,
      "are given without addresses: DHCP gives both",
    ),
    ...each(dns, `${field}.dns`, limits.config.dns.most, (server, at) =>
      ensure(familyOf(server) !== undefined, at, "is not an IP address"),
    ),
    ...each(searchDomains, `${field}.searchDomains`, limits.config.dns.most, (domain, at) =>
      ensure(
        domain.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(domain),
        at,
        "is not the name of a domain",
      ),
    ),
  ];
}

function checkAddress(text: string, field: string): readonly ConfigProblem[] {
  const address = parsePrefixed(text);
  if (address === undefined) return [{ field, problem: 'is not an address with its prefix, like "10.0.0.7/24"' }];
  return ensure(
    isOfHost(address),
    field,
    "is no address that a host can have: it is its network's own, its broadcast, loopback or multicast address",
  );
}

function checkWifi({ country, ssid, passphrase }: WifiConfig, field: string): readonly ConfigProblem[] {
  const bytes = Buffer.byteLength(ssid);
  const isKnown =
    passphrase === undefined || /^[0-9a-fA-F]{64}$/.test(passphrase) || /^[\x20-\x7e]{8,63}$/.test(passphrase);
  return [
    ...ensure(
      /^[A-Z]{2}$/.test(country),
      `${field}.country`,
      'is not a country of ISO 3166-1 in two letters, like "CH"',
    ),
    ...ensure(bytes > 0 && bytes <= 32 && !control.test(ssid), `${field}.ssid`, "is not 1 to 32 bytes of text"),
    ...ensure(isKnown, `${field}.passphrase`, "is neither 8 to 63 characters of ASCII nor 64 hexadecimal digits"),
  ];
}

function checkFile(file: FileConfig, field: string): readonly ConfigProblem[] {
  const { path, content, mode, owner, group } = file;
  const isOwner = (name: string | undefined) =>
    name === undefined ||
    /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(name) ||
    (/^\d{1,10}$/.test(name) && Number(name) < 2 ** 32 - 1);
  return [
    ...ensure(
      isPlainPath(path),
      `${field}.path`,
      'is not an absolute path without ".", ".." and empty parts, like "/etc/motd"',
    ),
    ...ensure(
      content.kind === "folder" || path.split("/").length > 2,
      `${field}.path`,
      "lies in the root folder itself: only folders are made there",
    ),
    ...ensure(
      !closedFolders.some((folder) => path === folder || path.startsWith(`${folder}/`)),
      `${field}.path`,
      `lies where no file lasts, or where Pallet's own are (${closedFolders.join(", ")})`,
    ),
    ...(content.kind === "file"
      ? ensure(
          content.bytes.length <= limits.config.fileBytes.most,
          `${field}.content`,
          `is longer than ${limits.config.fileBytes.most} bytes`,
        )
      : []),
    ...(content.kind === "link"
      ? ensure(
          content.target !== "" &&
            content.target.length <= limits.config.pathCharacters.most &&
            !control.test(content.target),
          `${field}.content`,
          "is not the target of a link",
        )
      : []),
    ...ensure(
      mode === undefined || (Number.isSafeInteger(mode) && mode >= 0 && mode <= 0o7777),
      `${field}.mode`,
      "is not made of permission bits, at most 07777",
    ),
    ...ensure(mode === undefined || content.kind !== "link", `${field}.mode`, "is given for a link, which has none"),
    ...ensure(isOwner(owner), `${field}.owner`, "is neither the name of a user nor a number"),
    ...ensure(isOwner(group), `${field}.group`, "is neither the name of a group nor a number"),
  ];
}

/** Folders come before what lies in them, and nothing lies in a file. */
function checkNesting(files: readonly FileConfig[]): readonly ConfigProblem[] {
  const kinds = new Map<string, "folder" | "other">();
  const parents = new Set<string>();
  return files.slice(0, limits.config.files.most).flatMap(({ path, content }, index): readonly ConfigProblem[] => {
    const isLate = content.kind === "folder" && parents.has(path);
    const above = path
      .split("/")
      .slice(1, -1)
      .map((_, depth, parts) => `/${parts.slice(0, depth + 1).join("/")}`);
    for (const parent of above) parents.add(parent);
    const isInFile = above.some((parent) => kinds.get(parent) === "other");
    const isAbove = content.kind !== "folder" && parents.has(path);
    kinds.set(path, content.kind === "folder" ? "folder" : "other");
    return [
      ...ensure(!isLate, `files[${index}].path`, "is a folder that comes behind what lies in it"),
      ...ensure(
        !isInFile && !isAbove,
        `files[${index}].path`,
        "is in something that is no folder, or has something in it",
      ),
    ];
  });
}

/** The form of tasks is that of their file. */
function checkTask(task: unknown, field: string): readonly ConfigProblem[] {
  const result = taskSchema.safeParse(task);
  if (result.success) return [];
  return result.error.issues.map(({ path, message }) => ({
    field: [field, ...path.map(String)].join("."),
    problem: message,
  }));
}

function checkUserData(text: string, field: string): readonly ConfigProblem[] {
  return [
    ...ensure(
      text.length <= limits.config.textCharacters.most,
      field,
      `is longer than ${limits.config.textCharacters.most} characters`,
    ),
    ...ensure(
      /^(#cloud-config\b|#!|#include\b|Content-Type:|## template:)/.test(text),
      field,
      'does not begin with "#cloud-config"',
    ),
  ];
}

/** Bytes of all texts of plain data, until they are more than so many. */
function countBytes(value: unknown, enough: number): number {
  let sum = 0;
  const ahead: unknown[] = [value];
  for (let next = ahead.pop(); (next !== undefined || ahead.length > 0) && sum <= enough; next = ahead.pop()) {
    if (typeof next === "string") sum += Buffer.byteLength(next);
    else if (next instanceof Uint8Array) sum += next.length;
    else if (typeof next === "object" && next !== null) for (const item of Object.values(next)) ahead.push(item);
    sum += 1;
  }
  return sum;
}
