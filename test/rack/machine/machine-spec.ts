import type { PiModelName } from "./pi-model.ts";

/** What a simulated Pi is made of: the one argument of machine.ts, as JSON. */
export interface MachineSpec {
  readonly model: PiModelName;
  /** Six lower-case hexadecimal octets joined by colons. */
  readonly mac: string;
  /** Eight hexadecimal digits, as the firmware names its TFTP folder. */
  readonly serial: string;
  /** IPv4 address of its eth0. */
  readonly address: string;
  /** Where DHCP would point it to. */
  readonly tftp: { readonly address: string; readonly port: number };
  /** Block device that is its SD card, for example "/dev/loop3". */
  readonly cardDevice: string;
  /** Checkout of Pallet on the host that its agent runs from. */
  readonly checkout: string;
  /** The agent's program there: a script, as a path from its top. */
  readonly agent: string;
  /** Folder to mount as that checkout's node_modules; default: it has its own. */
  readonly nodeModules?: string;
}
