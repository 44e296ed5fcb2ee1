/**
 * What an installed system is to be, for one node: a profile, rendered. What is absent stays as the image has it.
 * Plain data; see pallet.v1.SystemConfig. Fields marked "secret" are in no event, log, journal row or error message.
 */
export interface SystemConfig {
  /** Of the form of hostname(7): labels of a-z, 0-9 and "-", at most 64 characters. /etc/hosts goes with it. */
  readonly hostname?: string;
  /** Name in the tz database, for example "Europe/Zurich". */
  readonly timezone?: string;
  /** A locale that the image has, for example "de_CH.UTF-8": locale(7). */
  readonly locale?: string;
  /** The console's keyboard: keyboard(5), xkeyboard-config(7). */
  readonly keyboard?: Keyboard;
  /** In the order of creation; names are unique. */
  readonly users?: readonly UserConfig[];
  readonly ssh?: SshConfig;
  readonly network?: NetworkConfig;
  /** Paths are unique. In this order, folders before what lies in them. */
  readonly files?: readonly FileConfig[];
  /** Names are unique. */
  readonly units?: readonly UnitConfig[];
  /** Run once, in this order, after the first boot, when the network is up. Names are unique. */
  readonly tasks?: readonly TaskConfig[];
  /** cloud-config for an image with cloud-init, beside what Pallet does by itself. Secret. */
  readonly userData?: string;
}

export interface Keyboard {
  readonly layout: string;
  readonly model?: string;
  readonly variant?: string;
}

/** A user of the new system: made, or changed when the image has one of that name. */
export interface UserConfig {
  /** useradd(8): [a-z_][a-z0-9_-]{0,31}. */
  readonly name: string;
  /** Absent: the image's, or the first free one from 1000 on. */
  readonly uid?: number;
  readonly fullName?: string;
  /** Absolute path of a program of the image; absent: the image's, or the best shell that it has. */
  readonly shell?: string;
  /** Supplementary groups, which the image must have. */
  readonly groups?: readonly string[];
  /** crypt(5), for example "$y$…" or "$6$…"; absent: the image's, or none that fits (keys only). Secret. */
  readonly passwordHash?: string;
  /** Lines for ~/.ssh/authorized_keys; given, they are all that is in it. */
  readonly authorizedKeys?: readonly string[];
  /** sudoers(5): with the user's password, or without; absent: as the image has it. */
  readonly sudo?: "password" | "no-password";
}

export interface SshConfig {
  /** Whether the server starts at boot. */
  readonly enabled?: boolean;
  /** PasswordAuthentication of sshd_config(5). */
  readonly passwordAuthentication?: boolean;
  /**
   * Whether the system gets host keys that no other has; absent is yes, if there is a server. Keys that the image brought along go.
   * Given ones are used; otherwise the agent makes an Ed25519 one, and says its public half in the result.
   */
  readonly ownHostKeys?: boolean;
  /** Private keys in OpenSSH's format (PROTOCOL.key) or PEM, at most one of each algorithm. Secret. */
  readonly hostKeys?: readonly string[];
}

export interface NetworkConfig {
  /** Names are unique. */
  readonly interfaces?: readonly InterfaceConfig[];
  readonly wifi?: WifiConfig;
}

/** A wired interface. */
export interface InterfaceConfig {
  /** Kernel's name, or a pattern of shell wildcards where the image's network manager knows them, for example "eth0", "en*". */
  readonly name: string;
  /** Addresses with their prefix ("10.0.0.7/24", "2001:db8::7/64"); absent or none: DHCP and router advertisements. */
  readonly addresses?: readonly string[];
  readonly gateways?: readonly string[];
  readonly dns?: readonly string[];
  readonly searchDomains?: readonly string[];
}

export interface WifiConfig {
  /** ISO 3166-1 alpha-2, for example "CH": radios stay off without it. */
  readonly country: string;
  readonly ssid: string;
  /** 8 to 63 characters, or 64 hexadecimal digits; absent: an open network. Secret. */
  readonly passphrase?: string;
  readonly hidden?: boolean;
}

/** A file, folder or symbolic link of the new system. */
export interface FileConfig {
  /** Absolute, normal (no "." or ".." in it), below no symbolic link of the image. */
  readonly path: string;
  readonly content: /** Secret if `secret`. */
    | { readonly kind: "file"; readonly bytes: Uint8Array }
    | { readonly kind: "folder" }
    | { readonly kind: "link"; readonly target: string };
  /** Permission bits, at most 0o7777; absent: 0644, of a folder 0755, of a secret file 0600. */
  readonly mode?: number;
  /** A name in the new system, or a number; absent is root. */
  readonly owner?: string;
  readonly group?: string;
  readonly secret?: boolean;
}

export interface UnitConfig {
  /** systemd.unit(5), for example "docker.service"; for OpenRC and System V the script's name, with ".service". */
  readonly name: string;
  readonly state: "enabled" | "disabled" | "masked";
}

/** Something to run once. */
export interface TaskConfig {
  /** [a-z0-9][a-z0-9-]{0,62}. */
  readonly name: string;
  /** Program and arguments, without a shell; or a script, which begins with "#!". */
  readonly run:
    | { readonly kind: "command"; readonly words: readonly string[] }
    | { readonly kind: "script"; readonly text: string };
  /** When it is ended and counts as failed, in milliseconds. */
  readonly timeoutMs: number;
  /** The user that it runs as; absent is root. */
  readonly user?: string;
  /** Variables of its environment, besides PATH, HOME, LANG. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Text per name: each is a file that only the task's user reads, in the folder that its environment names as PALLET_SECRETS, removed when the task has
   * succeeded. Secret.
   */
  readonly secrets?: Readonly<Record<string, string>>;
}
