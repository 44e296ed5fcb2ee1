import type { Console } from "../programs/console.ts";
import type { Card } from "./card.ts";

/** A node under test, whatever it is made of: a simulated Pi here, a virtual one later. */
export interface Board {
  /** MAC address: six lower-case hexadecimal octets joined by colons. */
  readonly mac: string;
  /** Eight hexadecimal digits; another one after `replace`. */
  readonly serial: string;
  /** Model as the firmware names it. */
  readonly model: string;
  /** IPv4 address that DHCP gives it. */
  readonly address: string;
  readonly card: Card;
  readonly console: Console;
  isOn(): boolean;
  powerOn(): Promise<void>;
  /** Pulls the plug. */
  powerOff(): Promise<void>;
  /**
   * From now on it is another board with this serial number, behind the same MAC address and with this card in it, as
   * when somebody moves a network adapter. Only while it is off.
   */
  replace(serial: string): void;
  /** From now on a reboot ends in darkness, as with a dying power supply; `powerOn` repairs it. */
  failNextReboot(): void;
  /** Pulls the network cable. */
  cutNetwork(): Promise<void>;
  restoreNetwork(): Promise<void>;
  /** Limits what the board receives from the network; undefined lifts the limit. */
  limitNetwork(bytesPerSecond: number | undefined): Promise<void>;
  /** Kills the agent's process (SIGKILL). */
  killAgent(): Promise<void>;
  /** Runs a program in the running system, as someone logged in as root on it would. */
  run(program: string, args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}
