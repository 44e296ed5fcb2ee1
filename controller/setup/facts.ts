import type { Need } from "../../proto/linux/debian-package.ts";
import type { HeldPort } from "../check/held-port.ts";
import type { Config } from "../config/config.ts";
import type { Content } from "./content.ts";
import type { Journal } from "./journal.ts";

/** A network interface of this machine, as ip(8) lists it. */
export interface Link {
  readonly name: string;
  readonly mac: string;
  /** The address burnt into it, where the driver tells and it is another than `mac`. */
  readonly permanentMac?: string;
  /** "ether", "loopback", … */
  readonly type: string;
  /** What made it, for example "vlan" or "veth"; absent for hardware. */
  readonly kind?: string;
  /** The bridge or bond that it is a port of. */
  readonly controller?: string;
  readonly isWireless: boolean;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** IPv4, in CIDR notation. */
  readonly addresses: readonly string[];
  /** IPv6, without their prefixes. */
  readonly ipv6Addresses: readonly string[];
}

/** A route of the main table; of IPv6, only the default route. */
export interface Route {
  /** In CIDR notation; 0.0.0.0/0 or ::/0 for the default route. */
  readonly network: string;
  readonly device: string;
}

/** What systemd says of a unit. */
export interface UnitState {
  /** Whether there is such a unit; one that is masked counts. */
  readonly exists: boolean;
  readonly isActive: boolean;
  /** Whether it ended and waits for its next start. */
  readonly isRestarting: boolean;
  /** "enabled", "masked", "static", …; empty where it has none. */
  readonly enablement: string;
  /** The file that it comes from. */
  readonly file?: string;
}

/** A chain of somebody else's that throws away by default what goes through this machine (nftables). */
export interface DroppingChain {
  readonly table: string;
  readonly chain: string;
  readonly hook: "input" | "forward";
}

/** What there is on this machine that a setup has to know. */
export interface SetupFacts {
  readonly isRoot: boolean;
  readonly missing: readonly Need[];
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
  /** Units of `consideredUnits`. */
  readonly units: ReadonlyMap<string, UnitState>;
  /** Files of `consideredPlaces`, by their paths. */
  readonly files: ReadonlyMap<string, string>;
  /** What is at every path that a setup writes, or has written. */
  readonly contents: ReadonlyMap<string, Content>;
  readonly ports: readonly HeldPort[];
  readonly droppingChains: readonly DroppingChain[];
  readonly forwards: boolean;
  /** The configuration as `serve` would read it; a string says why it cannot be read. Absent where there is no file. */
  readonly config?: Config | string;
  /** Who else answers DHCP on the rack's interface, or why nobody could be asked; absent where nobody was. */
  readonly otherDhcp?: { readonly servers: readonly string[] } | { readonly unasked: string };
  /** Ids of the rollouts that run, or why the controller could not be asked; absent where it was not. */
  readonly rollouts?: { readonly running: readonly string[] } | { readonly unasked: string };
  /** Folders that cannot be written to, by what keeps us from it. */
  readonly unwritable: readonly { readonly folder: string; readonly reason: string }[];
  /** The address of this machine, of IPv4 or IPv6, that the operator is logged in at over SSH. */
  readonly loginAddress?: string;
  /** Whether the controller's program is where its unit starts it. */
  readonly hasProgram: boolean;
  /** The configuration that the Debian package brings, of a controller that was not set up. */
  readonly packagedConfig: string;
  /** Whether the Debian package is installed: the program and its unit are its own, then. */
  readonly isPackaged: boolean;
  /** The schema of the state database that is there, and the newest that this version knows. */
  readonly state?: { readonly schema: number; readonly known: number };
  /** The controller's units, its user and its folders, as this version of it has them, by file name. */
  readonly sources: Readonly<Record<string, string>>;
  /** Whether there is the user that the controller runs as. */
  readonly hasUser: boolean;
  /** What an earlier setup noted. */
  readonly journal?: Journal;
}
