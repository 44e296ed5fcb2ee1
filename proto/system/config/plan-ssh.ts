import type { SshConfig, UnitConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import { linesOf, requireText, withBlock } from "./amend-lines.ts";
import type { Edit } from "./edit.ts";
import { fileWordOf, type HostKey, parseHostKey } from "./openssh-key.ts";
import { planUnit, whyNotUnit } from "./plan-units.ts";

export const sshdConfigPath = "/etc/ssh/sshd_config";
/** Where dropbear has its host keys, and OpenWrt the keys of root as well. */
export const dropbearFolder = "/etc/dropbear";
const dropInPath = "/etc/ssh/sshd_config.d/00-pallet.conf";
/** What Raspberry Pi OS's first boot makes the host keys anew by, whatever there is (raspberrypi-sys-mods). */
export const regeneratorPath = "/usr/lib/raspberrypi-sys-mods/regenerate_ssh_host_keys";
const regeneratorUnit = "regenerate_ssh_host_keys.service";
/** The units of SSH servers, best first, and what turns one on by a file in the firmware's partition. */
const services = ["ssh.service", "sshd.service", "dropbear.service"] as const;
const sockets = ["ssh.socket", "sshd.socket", "dropbear.socket"] as const;
const switches = ["sshswitch.service"] as const;

/** Whether the SSH server gets host keys of its own. */
export function hasOwnHostKeys(ssh: SshConfig | undefined, abilities: SystemAbilities): boolean {
  return abilities.ssh !== undefined && ssh?.ownHostKeys !== false;
}

/** Whether the agent has to make a host key: keys of its own are wanted, and none is given. */
export function needsMadeHostKey(ssh: SshConfig | undefined, abilities: SystemAbilities): boolean {
  return (
    hasOwnHostKeys(ssh, abilities) && (ssh?.hostKeys ?? []).length === 0 && knowsAlgorithm(abilities, "ssh-ed25519")
  );
}

/** Whether the SSH server can have a host key of that algorithm. OpenSSH's of today knows all that are given. */
function knowsAlgorithm({ ssh }: SystemAbilities, algorithm: string): boolean {
  return ssh?.server === "openssh" || (ssh?.algorithms ?? []).includes(algorithm);
}

/**
 * What the SSH server is to be.
 *
 * @param made private keys that were made for this system; undefined while none is made yet
 */
export function planSsh(
  ssh: SshConfig,
  abilities: SystemAbilities,
  made: readonly string[] | undefined,
): readonly Edit[] {
  if (abilities.ssh === undefined) return [];
  return [
    ...(abilities.ssh.server === "openssh" ? planOpenssh(ssh, abilities, made) : planDropbear(ssh, abilities, made)),
    ...planStart(ssh, abilities),
  ];
}

/** Why the image cannot take it. */
export function judgeSsh(ssh: SshConfig, abilities: SystemAbilities): readonly string[] {
  const asked = Object.values(ssh).some((value) => value !== undefined && value !== false);
  if (abilities.ssh === undefined)
    return asked
      ? ["ssh: the image has no SSH server: use an image with OpenSSH's (package openssh-server), or leave ssh out"]
      : [];
  const isDropbear = abilities.ssh.server === "dropbear";
  return [
    ...(isDropbear && ssh.passwordAuthentication !== undefined
      ? [
          "ssh.passwordAuthentication: the image's SSH server is dropbear, which is told that by an option of its start script " +
            "(-s): leave it out; users without a password hash have no password to be let in by",
        ]
      : []),
    ...(ssh.hostKeys ?? []).flatMap((text, index) => {
      const { algorithm = "" } = parseHostKey(text) ?? {};
      return knowsAlgorithm(abilities, algorithm)
        ? []
        : [`ssh.hostKeys[${index}]: the image's dropbear knows no ${algorithm} keys: leave it out`];
    }),
    ...(ssh.enabled === undefined ? [] : judgeStart(ssh.enabled, abilities)),
  ];
}

function planOpenssh(ssh: SshConfig, abilities: SystemAbilities, made: readonly string[] | undefined): readonly Edit[] {
  const own = hasOwnHostKeys(ssh, abilities);
  const texts = ssh.hostKeys ?? made ?? [];
  const keys = own ? texts.map(parseHostKey).filter((key) => key !== undefined) : [];
  const lines = [
    ...(own && keys.length === 0 ? [`HostKey ${hostKeyPath("ssh-ed25519", abilities)}`] : []),
    ...keys.map(({ algorithm }) => `HostKey ${hostKeyPath(algorithm, abilities)}`),
    ...passwordLines(ssh.passwordAuthentication),
  ];
  return [...(own ? planHostKeys(keys, abilities) : []), ...planServerConfig(lines, abilities.ssh?.dropIns === true)];
}

/** Where the host key of an algorithm is: out of the way of what makes those of the usual names anew at the first boot. */
function hostKeyPath(algorithm: string, { has }: SystemAbilities): string {
  const who = has.includes(regeneratorPath) ? "pallet" : "ssh";
  return `/etc/ssh/${who}_host_${fileWordOf(algorithm) ?? "ed25519"}_key`;
}

function planHostKeys(keys: readonly HostKey[], abilities: SystemAbilities): readonly Edit[] {
  const removal: Edit = {
    kind: "remove-matching",
    path: "/etc/ssh",
    does: "removes the host keys of the image",
    pattern: /^(ssh|pallet)_host_/,
  };
  const unmade: Edit = {
    kind: "file",
    path: hostKeyPath("ssh-ed25519", abilities),
    does: "gives the SSH server an Ed25519 host key of its own",
    content: "",
    isUnknown: true,
    mode: 0o600,
  };
  return [
    removal,
    ...(keys.length === 0 ? [unmade] : []),
    ...keys.flatMap(({ algorithm, privateText, publicLine }): readonly Edit[] => {
      const path = hostKeyPath(algorithm, abilities);
      return [
        {
          kind: "file",
          path,
          does: `gives the SSH server a host key of its own (${algorithm})`,
          content: privateText,
          mode: 0o600,
        },
        { kind: "file", path: `${path}.pub`, does: "says its public half", content: `${publicLine}\n` },
      ];
    }),
    ...(Object.hasOwn(abilities.units, regeneratorUnit)
      ? planUnit(regeneratorUnit, "disabled", abilities, abilities.units)
      : []),
  ];
}

/** The older name of KbdInteractiveAuthentication, which every version knows: through PAM it asks for passwords, too. */
function passwordLines(allowed: boolean | undefined): readonly string[] {
  if (allowed === undefined) return [];
  return allowed ? ["PasswordAuthentication yes"] : ["PasswordAuthentication no", "ChallengeResponseAuthentication no"];
}

/** Of each keyword the first value counts (sshd_config(5)), so ours come before all others. */
function planServerConfig(lines: readonly string[], dropIns: boolean): readonly Edit[] {
  const does =
    lines.length === 0
      ? "has nothing of ours in the SSH server's settings"
      : `tells the SSH server: ${lines.join("; ")}`;
  if (!dropIns)
    return [
      {
        kind: "amend",
        path: sshdConfigPath,
        does,
        amend: (text) => (text === undefined ? text : withBlock(requireText(text, sshdConfigPath), lines, "first")),
      },
    ];
  if (lines.length === 0) return [{ kind: "remove", path: dropInPath, does }];
  return [{ kind: "file", path: dropInPath, does, content: lines.map((line) => `${line}\n`).join(""), mode: 0o600 }];
}

/** Whether drop-ins count before what the file itself says. */
export function includesDropIns(text: string): boolean {
  const first = linesOf(text).find((line) => /^\s*[^#\s]/.test(line));
  return first !== undefined && /^\s*Include\s+("?)\/etc\/ssh\/sshd_config\.d\/\*\.conf\1\s*$/i.test(first);
}

/** It makes keys that are missing when it starts: all of them, where it knows no algorithm of ours. */
function planDropbear(
  ssh: SshConfig,
  abilities: SystemAbilities,
  made: readonly string[] | undefined,
): readonly Edit[] {
  if (!hasOwnHostKeys(ssh, abilities)) return [];
  const keys = (ssh.hostKeys ?? made ?? []).map(parseHostKey).filter((key) => key !== undefined);
  const path = (algorithm: string) => `${dropbearFolder}/dropbear_${fileWordOf(algorithm)}_host_key`;
  const isUnmade = made === undefined && needsMadeHostKey(ssh, abilities);
  return [
    ...(abilities.ssh?.hasLinkedKeys === true
      ? []
      : [
          {
            kind: "remove-matching",
            path: dropbearFolder,
            does: "removes the host keys of the image; the SSH server makes those that are missing when it starts",
            pattern: /^dropbear_.*_host_key/,
          } as const,
        ]),
    ...(keys.length === 0 && !isUnmade
      ? []
      : [
          {
            kind: "folder",
            path: dropbearFolder,
            does: "makes the folder of the SSH server's host keys",
            replacesLink: true,
          } as const,
        ]),
    ...(isUnmade
      ? [
          {
            kind: "file",
            path: path("ssh-ed25519"),
            does: "gives the SSH server an Ed25519 host key of its own",
            content: "",
            isUnknown: true,
            mode: 0o600,
          } as const,
        ]
      : []),
    ...keys.map(
      ({ algorithm, dropbearFile }): Edit => ({
        kind: "file",
        path: path(algorithm),
        does: `gives the SSH server a host key of its own (${algorithm})`,
        content: dropbearFile,
        mode: 0o600,
      }),
    ),
  ];
}

function planStart({ enabled }: SshConfig, abilities: SystemAbilities): readonly Edit[] {
  if (enabled === undefined) return [];
  const { units } = abilities;
  if (!enabled) return startersOf(abilities).flatMap((name) => planUnit(name, "disabled", abilities, units));
  const unit = startedBy(abilities);
  return [
    { kind: "remove", path: "/etc/ssh/sshd_not_to_be_run", does: "lets the SSH server run" },
    ...(unit === undefined ? [] : planUnit(unit, "enabled", abilities, units)),
  ];
}

function judgeStart(enabled: boolean, abilities: SystemAbilities): readonly string[] {
  const { init, units } = abilities;
  if (init === "busybox") {
    // Its start scripts are all run, in the order of their names.
    const isStarted = Object.keys(units).some((name) => /^S\d\d(sshd|ssh|dropbear)\.service$/.test(name));
    if (enabled && isStarted) return [];
    return ["ssh.enabled: the image's init starts what is in /etc/init.d, and nothing else: leave it out"];
  }
  if (!enabled) return [];
  const unit = startedBy(abilities);
  const why =
    unit === undefined
      ? `the image has none of ${services.join(", ")}: use an image whose init starts its SSH server, or leave it out`
      : whyNotUnit(unit, "enabled", abilities, units);
  return why === undefined ? [] : [`ssh.enabled: ${why}`];
}

/** The unit to be enabled: a socket that is enabled already waits for connections instead of a service. */
function startedBy({ units, init }: SystemAbilities): string | undefined {
  const socket = sockets.find((name) => (units[name]?.links?.length ?? 0) > 0);
  if (init === "systemd" && socket !== undefined) return socket;
  return services.find((name) => Object.hasOwn(units, name));
}

/** What presets say of the SSH server's units; the same whether one of them is enabled or not. */
export function sshPresets({ enabled }: SshConfig, abilities: SystemAbilities): readonly UnitConfig[] {
  if (enabled === undefined || abilities.ssh === undefined) return [];
  const unit = startedBy(abilities);
  if (enabled) return unit === undefined ? [] : [{ name: unit, state: "enabled" }];
  return startersOf(abilities).map((name) => ({ name, state: "disabled" }));
}

/** All units that could start the SSH server. */
function startersOf({ units }: SystemAbilities): readonly string[] {
  return [...services, ...sockets, ...switches].filter((name) => Object.hasOwn(units, name));
}
