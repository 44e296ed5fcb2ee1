import type { SystemConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import { requireText } from "./amend-lines.ts";
import type { Edit } from "./edit.ts";
import { hasOwnHostKeys } from "./plan-ssh.ts";
import { planUnit } from "./plan-units.ts";

/**
 * Sorted behind everything that an image brings along, also "99_raspberry-pi.cfg": of cloud-init's files the last one
 * counts.
 */
const cloudConfigPath = "/etc/cloud/cloud.cfg.d/zz-pallet.cfg";
const seedFolder = "/var/lib/cloud/seed/nocloud";
const wizardUnit = "userconfig.service";
/** Up to Raspberry Pi OS bullseye: it moves wpa_supplicant.conf from the firmware's partition over what is there. */
export const wifiCopierUnit = "raspberrypi-net-mods.service";
const lightdmPath = "/etc/lightdm/lightdm.conf";

/** Keeps what an image does by itself at its first boot from undoing the config, and from asking questions. */
export function planFirstBoot(config: SystemConfig, abilities: SystemAbilities, digest: string): readonly Edit[] {
  return [
    ...(abilities.cloudInit ? planCloudInit(config, abilities, digest) : []),
    ...(config.users === undefined ? [] : planWizard(abilities)),
    ...(config.network?.wifi === undefined ? [] : planUnit(wifiCopierUnit, "disabled", abilities, abilities.units)),
  ];
}

/** Why the image cannot take it. */
export function judgeFirstBoot({ userData }: SystemConfig, { cloudInit }: SystemAbilities): readonly string[] {
  return userData === undefined || cloudInit
    ? []
    : ["userData: the image has no cloud-init: use an image that has it, or leave userData out"];
}

/** What cloud-init is told: of the fields that the config sets, and of no others. JSON is YAML. */
export function renderCloudConfig(config: SystemConfig, abilities: SystemAbilities): string {
  const { hostname, timezone, locale, keyboard, users, ssh, network, userData } = config;
  const hasNetwork = network?.interfaces !== undefined || network?.wifi !== undefined;
  const settings = {
    ...(hostname !== undefined && { preserve_hostname: true, manage_etc_hosts: false }),
    ...(timezone !== undefined && { timezone }),
    ...(locale !== undefined && { locale }),
    ...(keyboard !== undefined && { keyboard }),
    // Else it makes its distribution's own user.
    ...(users !== undefined && { users: [] }),
    ...(hasOwnHostKeys(ssh, abilities) && { ssh_deletekeys: false, ssh_genkeytypes: [] }),
    ...(ssh?.passwordAuthentication !== undefined && { ssh_pwauth: ssh.passwordAuthentication }),
    ...(hasNetwork && { network: { config: "disabled" } }),
    // Another place of the image's for its seed would count before ours.
    ...(userData !== undefined && { datasource_list: ["NoCloud", "None"], datasource: { NoCloud: { seedfrom: "" } } }),
  };
  return `# Made by Pallet at the reimage.\n${JSON.stringify(settings, null, 2)}\n`;
}

function planCloudInit(config: SystemConfig, abilities: SystemAbilities, digest: string): readonly Edit[] {
  const { userData } = config;
  return [
    {
      kind: "file",
      path: cloudConfigPath,
      does: "keeps cloud-init from undoing this",
      content: renderCloudConfig(config, abilities),
      mode: 0o600,
    },
    ...(userData === undefined
      ? []
      : [
          {
            kind: "file",
            path: `${seedFolder}/user-data`,
            does: "gives cloud-init its user data",
            content: userData,
            mode: 0o600,
          } as const,
          {
            kind: "file",
            path: `${seedFolder}/meta-data`,
            does: "tells cloud-init that this is another machine",
            content: `${JSON.stringify({ "instance-id": `pallet-${digest.slice(0, 32)}` })}\n`,
            mode: 0o600,
          } as const,
        ]),
  ];
}

/**
 * Raspberry Pi OS asks for a user at its first boot, at the console or in a desktop session of its own. What its
 * cancel-rename (userconf-pi) does when there is one.
 */
function planWizard(abilities: SystemAbilities): readonly Edit[] {
  const { units, has } = abilities;
  if ((units[wizardUnit]?.links ?? []).length === 0) return [];
  return [
    ...planUnit(wizardUnit, "disabled", abilities, units),
    ...planUnit("getty@tty1.service", "enabled", abilities, units),
    ...["/etc/ssh/sshd_config.d/rename_user.conf", "/etc/xdg/autostart/piwiz.desktop"].map(
      (path): Edit => ({ kind: "remove", path, does: "keeps the first boot from asking for a user" }),
    ),
    ...(has.includes(lightdmPath)
      ? [
          {
            kind: "amend",
            path: lightdmPath,
            does: "keeps the first boot from asking for a user",
            amend: (text) =>
              text === undefined
                ? text
                : requireText(text, lightdmPath).replaceAll(/^autologin-user=rpi-first-boot-wizard$/gm, "#$&"),
          } satisfies Edit,
        ]
      : []),
  ];
}

/** Paths whose presence decides on what is written, besides programs. */
export const firstBootPaths = [lightdmPath] as const;
