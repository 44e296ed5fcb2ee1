/** A service of Debian's that holds a port which the controller, or what it starts, needs. */
export interface UnitInTheWay {
  readonly unit: string;
  /** Units that start it, too. */
  readonly with?: readonly string[];
  readonly what: string;
  /**
   * Lines of these files are somebody's work with it: then it is not ours to stop. A path that ends with "/" is a folder.
   */
  readonly worksBy?: readonly string[];
}

/** What a fresh installation of the packages that serving needs starts or would start by itself. */
export const unitsInTheWay: readonly UnitInTheWay[] = [
  { unit: "dnsmasq.service", what: "DHCP and DNS", worksBy: ["/etc/dnsmasq.conf", "/etc/dnsmasq.d/"] },
  { unit: "tftpd-hpa.service", what: "TFTP" },
  { unit: "atftpd.service", with: ["atftpd.socket"], what: "TFTP" },
  { unit: "nfs-ganesha.service", with: ["nfs-ganesha-lock.service"], what: "NFS" },
  { unit: "nfs-server.service", what: "NFS", worksBy: ["/etc/exports", "/etc/exports.d/"] },
];

/** Units whose state decides a plan. */
export const consideredUnits: readonly string[] = [
  ...unitsInTheWay.flatMap(({ unit, with: others = [] }) => [unit, ...others]),
  ...[
    "systemd-networkd.socket",
    "systemd-networkd.service",
    "NetworkManager.service",
    "networking.service",
    "dhcpcd.service",
    "connman.service",
  ],
  ...["ufw.service", "firewalld.service", "nftables.service", "systemd-udevd.service", "chrony.service"],
  "systemd-resolved.service",
  ...["pallet-firewall.service", "pallet-broker.socket", "pallet-broker.service", "pallet-controller.service"],
];

/** Files, and folders of files, that decide one. */
export const consideredPlaces: readonly string[] = [
  ...["/etc/systemd/network/", "/run/systemd/network/", "/etc/NetworkManager/system-connections/", "/etc/netplan/"],
  "/etc/dhcpcd.conf",
  ...["/etc/network/interfaces", "/etc/network/interfaces.d/", "/etc/sysctl.conf", "/etc/sysctl.d/"],
  ...unitsInTheWay.flatMap(({ worksBy = [] }) => worksBy),
];

/** Whether a file says more than comments. README files of Debian's folders do not count. */
export function saysSomething(file: string, text: string): boolean {
  if (/\/README$/i.test(file)) return false;
  return text.split("\n").some((line) => line.trim() !== "" && !line.trim().startsWith("#"));
}
