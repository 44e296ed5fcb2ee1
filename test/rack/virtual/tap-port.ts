import type { Network } from "../network.ts";

/** The socket of the rack's switch that a virtual machine's network card is in: a tap interface, which QEMU opens by name. */
export interface TapPort {
  /** Name of the tap interface in the rack's network namespace. */
  readonly interface: string;
  /** Makes the interface; it stays while the machine reboots. Nothing when it is there. */
  powerOn(): Promise<void>;
  /** Takes it away: connections are gone without a word to their other ends. */
  powerOff(): Promise<void>;
  /** Pulls the cable: frames are dropped. (The card's link stays up, as behind a switch that has lost its uplink.) */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Limits what the board receives; undefined lifts the limit (tc-tbf(8)). */
  limit(bytesPerSecond: number | undefined): Promise<void>;
}

/** The socket of board number 1 to 200; nothing is in it yet. */
export function createTapPort({ namespace }: Network, number: number): TapPort {
  const name = `tap${number}`;
  let present = false;
  let isCut = false;
  let limitBytesPerSecond: number | undefined;

  const applyCable = async (): Promise<void> => {
    if (present)
      await namespace.run("ip", ["link", "set", name, isCut ? "nomaster" : "master", ...(isCut ? [] : ["rack"])]);
  };
  const applyLimit = async (): Promise<void> => {
    if (!present) return;
    // Fails only where there was no limit.
    await namespace.run("tc", ["qdisc", "del", "dev", name, "root"]).catch(() => undefined);
    if (limitBytesPerSecond === undefined) return;
    const bucket = ["rate", `${limitBytesPerSecond}bps`, "burst", "64kb", "latency", "200ms"];
    await namespace.run("tc", ["qdisc", "add", "dev", name, "root", "tbf", ...bucket]);
  };
  return {
    interface: name,
    async powerOn() {
      if (present) return;
      await namespace.run("ip", ["-batch", "-"], `tuntap add dev ${name} mode tap\nlink set ${name} up\n`);
      present = true;
      await applyLimit();
      await applyCable();
    },
    async powerOff() {
      if (!present) return;
      present = false;
      await namespace.run("ip", ["link", "delete", name]);
    },
    async cut() {
      isCut = true;
      await applyCable();
    },
    async restore() {
      isCut = false;
      await applyCable();
    },
    async limit(bytesPerSecond) {
      limitBytesPerSecond = bytesPerSecond;
      await applyLimit();
    },
  };
}
