/**
 * What a system can be told, found in its root filesystem: the evidence by which a config is judged and its edits are
 * planned. Plain data that survives JSON; it is kept with the image.
 */
export interface SystemAbilities {
  /** What starts its services. "busybox": its init without runlevels. */
  readonly init: "systemd" | "openrc" | "sysvinit" | "busybox" | "unknown";
  /** ID of os-release(5), for example "debian"; "linux" if there is none. */
  readonly distribution: string;
  /** The users and groups of /etc/passwd and /etc/group. */
  readonly users: readonly KnownUser[];
  readonly groups: readonly KnownGroup[];
  /** Absolute paths of the shells that it has, the best first. */
  readonly shells: readonly string[];
  /** Whether it has sudo(8), which reads /etc/sudoers.d. */
  readonly sudo: boolean;
  /** Whether it has the tz database's files. */
  readonly timezones: boolean;
  /** Locales that it has, as locale(1) -a says them: "C.utf8", "de_CH.utf8". */
  readonly locales: readonly string[];
  /** The file that sets the system's locale; absent when there is no such file in this kind of system. */
  readonly localeFile?: string;
  /** What sets the console's keyboard: keyboard(5), or vconsole.conf(5). Absent: nothing that is known. */
  readonly keyboard?: "keyboard-configuration" | "vconsole";
  readonly ssh?: SshAbilities;
  readonly network: NetworkAbilities;
  readonly cloudInit: boolean;
  /** Its units, or services of another init with ".service" behind the names, by their names. */
  readonly units: Readonly<Record<string, UnitAbility>>;
  /** State files of rfkill(8) that systemd keeps for radios: names in /var/lib/systemd/rfkill. */
  readonly radios: readonly string[];
  /** Files among those of `noticedPaths` that are there. */
  readonly has: readonly string[];
}

export interface KnownUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface KnownGroup {
  readonly name: string;
  readonly gid: number;
}

export interface SshAbilities {
  readonly server: "openssh" | "dropbear";
  /** Whether sshd_config(5) includes /etc/ssh/sshd_config.d/*.conf before it says anything else. */
  readonly dropIns: boolean;
  /** Of dropbear: algorithms of host keys that it knows, of those of `hostKeyAlgorithms`. Absent: not known. */
  readonly algorithms?: readonly string[];
  /** Of dropbear: whether the folder of its keys is a link, as Buildroot has one into /var/run; absent for false. */
  readonly hasLinkedKeys?: boolean;
}

/** What brings the network up at boot: what is installed and started, not what merely lies there. */
export type NetworkManager = "NetworkManager" | "netplan" | "systemd-networkd" | "dhcpcd" | "ifupdown";

export interface NetworkAbilities {
  readonly manager?: NetworkManager;
  /** What writes resolv.conf(5) by what the network manager says; absent: the file is written by hand. */
  readonly resolver?: "systemd-resolved" | "resolvconf";
  /** What joins wireless networks. */
  readonly wifi?: "NetworkManager" | "wpa_supplicant";
}

/** What systemd.unit(5)'s [Install] section says of a unit, and what was made of it. */
export interface UnitAbility {
  readonly wantedBy?: readonly string[];
  readonly requiredBy?: readonly string[];
  readonly aliases?: readonly string[];
  /** Units that are enabled and disabled with it. */
  readonly also?: readonly string[];
  /** Where the unit itself is. */
  readonly path: string;
  /** Links in /etc that start it at boot, by their absolute paths. */
  readonly links?: readonly string[];
  readonly masked?: boolean;
}
