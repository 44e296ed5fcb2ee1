import type { UserConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import {
  accountPaths,
  withGroupEntries,
  withGshadowEntries,
  withPasswdEntry,
  withShadowEntry,
  withSubordinates,
} from "./account-files.ts";
import { type Edit, ifThere } from "./edit.ts";
import { isPlainPath } from "./plain-path.ts";
import { dropbearFolder } from "./plan-ssh.ts";

/** What makes the users, or changes those that the image has. */
export function planUsers(users: readonly UserConfig[], abilities: SystemAbilities): readonly Edit[] {
  return users.flatMap((user) => planUser(user, abilities));
}

/** Why the image cannot take them. */
export function judgeUsers(users: readonly UserConfig[], abilities: SystemAbilities): readonly string[] {
  const groups = new Set(abilities.groups.map(({ name }) => name));
  const taken = new Map(abilities.users.map(({ name, uid }) => [uid, name]));
  return users.flatMap((user, index) => {
    const field = `users[${index}]`;
    const { name, uid } = user;
    const known = abilities.users.find((each) => each.name === name);
    const owner = uid === undefined ? undefined : taken.get(uid);
    if (known === undefined && uid !== undefined) taken.set(uid, name);
    return [
      ...(uid !== undefined && owner !== undefined && owner !== name
        ? [`${field}.uid: ${uid} is that of ${owner} already: give ${name} another one, or leave it out`]
        : []),
      ...(uid !== undefined && known !== undefined && known.uid !== uid
        ? [`${field}.uid: the image's user ${name} has ${known.uid}, and keeps it: leave it out`]
        : []),
      ...(known === undefined && abilities.shells.length === 0 && user.shell === undefined
        ? [`${field}.shell: the image has no shell that is known: name a program of it`]
        : []),
      ...(user.groups ?? [])
        .filter((group) => !groups.has(group))
        .map((group) => `${field}.groups: the image has no group ${group}: leave it out, or use an image that has it`),
      ...(user.authorizedKeys !== undefined && known !== undefined && !isPlainPath(known.home)
        ? [
            `${field}.authorizedKeys: the home of the image's user ${name} is no folder that could have them: leave them out`,
          ]
        : []),
      ...(user.sudo !== undefined && !abilities.sudo
        ? [`${field}.sudo: the image has no sudo that reads /etc/sudoers.d: leave it out, or use an image with sudo`]
        : []),
      ...(user.sudo === "password" && known === undefined && user.passwordHash === undefined
        ? [`${field}.sudo: ${name} has no password to give: set passwordHash, or use no-password`]
        : []),
    ];
  });
}

function planUser(user: UserConfig, abilities: SystemAbilities): readonly Edit[] {
  const { name } = user;
  const known = abilities.users.find((each) => each.name === name);
  const home = known?.home ?? `/home/${name}`;
  const does = known === undefined ? `makes the user ${name}` : `changes the user ${name}`;
  const { passwd, shadow, group, gshadow } = accountPaths;
  return [
    {
      kind: "amend",
      path: passwd,
      does,
      amend: (text = "", planned) =>
        withPasswdEntry(text, user, {
          group: planned(group) ?? "",
          hasShadow: planned(shadow) !== undefined,
          shell: user.shell ?? abilities.shells[0] ?? "",
        }),
    },
    amendIfThere(shadow, passwordWords(user, known !== undefined), (text) => withShadowEntry(text, user)),
    {
      kind: "amend",
      path: group,
      does: groupWords(user),
      amend: (text = "", planned) => withGroupEntries(text, user, planned(passwd) ?? ""),
    },
    {
      kind: "amend",
      path: gshadow,
      does: ifThere(groupWords(user)),
      amend: (text, planned) => (text === undefined ? text : withGshadowEntries(text, user, planned(group) ?? "")),
    },
    ...(known === undefined
      ? [accountPaths.subuid, accountPaths.subgid].map((path) =>
          amendIfThere(path, `gives ${name} numbers for containers`, (text) => withSubordinates(text, name, path)),
        )
      : []),
    ...(user.shell === undefined
      ? []
      : [requires(user.shell, `users: the image has no program ${user.shell} that could be the shell of ${name}`)]),
    ...(known === undefined
      ? [
          {
            kind: "folder",
            path: home,
            does: `makes the home of ${name}, with what is in /etc/skel`,
            mode: 0o700,
            from: "/etc/skel",
            owner: name,
          } as const,
        ]
      : []),
    ...planAuthorizedKeys(user, home),
    ...(keepsKeysOfRoot(abilities) && known?.uid === 0 ? planKeysOfRoot(user) : []),
    ...planSudo(user),
  ];
}

function planAuthorizedKeys({ name, authorizedKeys }: UserConfig, home: string): readonly Edit[] {
  if (authorizedKeys === undefined) return [];
  const folder = `${home === "/" ? "" : home}/.ssh`;
  const count = authorizedKeys.length === 1 ? "1 key" : `${authorizedKeys.length} keys`;
  return [
    { kind: "folder", path: folder, does: `makes the folder for the keys of ${name}`, mode: 0o700, owner: name },
    {
      kind: "file",
      path: `${folder}/authorized_keys`,
      does: `lets ${name} in by ${count}`,
      content: authorizedKeys.map((line) => `${line}\n`).join(""),
      mode: 0o600,
      owner: name,
    },
  ];
}

/** OpenWrt's dropbear looks for the keys of root beside its host keys, and nowhere else. */
function keepsKeysOfRoot({ ssh, distribution }: SystemAbilities): boolean {
  return ssh?.server === "dropbear" && distribution === "openwrt";
}

function planKeysOfRoot({ name, authorizedKeys }: UserConfig): readonly Edit[] {
  if (authorizedKeys === undefined) return [];
  return [
    {
      kind: "file",
      path: `${dropbearFolder}/authorized_keys`,
      does: `lets ${name} in by them, as OpenWrt has it`,
      content: authorizedKeys.map((line) => `${line}\n`).join(""),
      mode: 0o600,
    },
  ];
}

function planSudo({ name, sudo }: UserConfig): readonly Edit[] {
  if (sudo === undefined) return [];
  const tag = sudo === "no-password" ? "NOPASSWD: " : "";
  return [
    {
      kind: "file",
      path: `/etc/sudoers.d/90-pallet-${name}`,
      does: `lets ${name} do everything by sudo, ${sudo === "no-password" ? "without a" : "with the"} password`,
      content: `${name} ALL=(ALL:ALL) ${tag}ALL\n`,
      mode: 0o440,
    },
  ];
}

function passwordWords({ name, passwordHash }: UserConfig, known: boolean): string {
  if (passwordHash !== undefined) return `sets the password of ${name}`;
  return known ? `leaves the password of ${name}` : `gives ${name} no password`;
}

function groupWords({ name, groups = [] }: UserConfig): string {
  return groups.length === 0 ? `makes the group ${name}, if there is none` : `puts ${name} into ${groups.join(", ")}`;
}

function amendIfThere(path: string, does: string, amend: (text: string) => string): Edit {
  return { kind: "amend", path, does: ifThere(does), amend: (text) => (text === undefined ? undefined : amend(text)) };
}

function requires(path: string, otherwise: string): Edit {
  return { kind: "require", path, does: `looks for ${path}`, otherwise };
}
