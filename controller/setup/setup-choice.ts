import type { Ipv4Network } from "../network/ipv4.ts";

/** What the operator chose for this machine. */
export interface SetupChoice {
  /** The network interface that the rack's switch is connected to, by the name that it has now. */
  readonly rack: string;
  /** The one that leads elsewhere, through which nodes reach the world; absent where they reach nothing. */
  readonly uplink?: string;
  /** This machine's address in the rack, in dotted decimal. */
  readonly address: string;
  readonly network: Ipv4Network;
}

/** What the rack's interface is called from then on, whatever the kernel calls it after a change of hardware. */
export const rackName = "rack0";

/** This machine's address in the rack where the operator names none, in CIDR notation. */
export const defaultRackAddress = "10.77.0.1/24";
