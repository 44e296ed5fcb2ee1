/** Parts of a system that settings in an image can make otherwise than a profile. */
export const settingsFields = [
  "hostname",
  "timezone",
  "locale",
  "keyboard",
  "users",
  "ssh.enabled",
  "ssh.hostKeys",
  "network.wifi",
] as const;

export type SettingsField = (typeof settingsFields)[number];

/**
 * What applies such settings at a first boot. "firstboot": `init=…/firstboot` of Raspberry Pi OS bookworm (raspberrypi-sys-mods:
 * init_config); "systemd-run": a script that systemd runs in the place of the system; "rpi-preseed": a service of images for
 * Raspberry Pi Imager 2.
 */
export const settingsReaders = ["firstboot", "systemd-run", "rpi-preseed", "cloud-init"] as const;

/** Settings that somebody has put into an image for its first boot. */
export interface OwnSettings {
  /** On the firmware's partition, for example "custom.toml", or an absolute path of the root filesystem. */
  readonly file: string;
  readonly reader: (typeof settingsReaders)[number];
  /** What they set, of what a profile could set, too. */
  readonly sets: readonly SettingsField[];
  /** Of "users": the names of all that they make or change; absent if that may be anybody. */
  readonly userNames?: readonly string[];
}
