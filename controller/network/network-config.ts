/** What gives the nodes their addresses, and whether this machine adds what network boot needs. */
export const dhcpModes = ["none", "server", "proxy"] as const;
export type DhcpMode = (typeof dhcpModes)[number];

/** Who exports the agent's root filesystem. */
export const nfsModes = ["none", "kernel", "ganesha"] as const;
export type NfsMode = (typeof nfsModes)[number];

/** DHCP and DNS for the nodes, served by dnsmasq. Addresses are IPv4 in dotted decimal. */
export interface DhcpConfig {
  readonly mode: DhcpMode;
  /** Set unless the mode is none. */
  readonly interface?: string;
  /** In CIDR notation; absent for the network of the interface. */
  readonly subnet?: string;
  /** First and last address to give away; absent for some of the network's. */
  readonly range?: readonly [from: string, to: string];
  /** Absent for this machine where it is a router, "none" for none at all. */
  readonly gateway?: string;
  readonly leaseSeconds: number;
  /** How late boot ROMs get their offer. */
  readonly replyDelaySeconds: number;
  /** The nodes' DNS servers; empty for this machine if it serves DNS. */
  readonly dns: readonly string[];
  /**
   * Whom this machine passes questions on to: absent for those of its /etc/resolv.conf, empty when it serves no DNS.
   */
  readonly dnsUpstream?: readonly string[];
  /** The nodes' time servers; absent for this machine if it serves time. */
  readonly ntp?: readonly string[];
  readonly domain?: string;
}

/** NFS for the nodes: the agent's root filesystem, read-only. */
export interface NfsConfig {
  readonly mode: NfsMode;
  /** Absolute path; set unless the mode is none. */
  readonly rootfs?: string;
  /** Who may read it, in CIDR notation; absent for the network of the advertised address. */
  readonly clients?: string;
}
