import type { NetworkNamespace } from "./network-namespace.ts";

/** What can be done to a board's cable, and to the socket of the rack's switch that it is in. */
export interface Cable {
  /** Takes the interface away: connections are gone without a word to their other ends. */
  powerOff(): Promise<void>;
  /** Pulls the cable. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Limits what the board receives; undefined lifts the limit (tc-tbf(8)). */
  limit(bytesPerSecond: number | undefined): Promise<void>;
}

/** A socket of the rack's switch. It keeps what it is told of the cable while it has no power. */
export interface SwitchSocket extends Cable {
  /** Has the interface made, and brings its cable into the state it was told; nothing when it is there. */
  powerOn(add: () => Promise<void>): Promise<void>;
}

/** A socket without power, its cable in and not limited. */
export function createSwitchSocket(
  namespace: NetworkNamespace,
  /** Of the interface in that namespace. */
  name: string,
  /** What `ip link set` has to set to pull the cable, and to put it in. */
  cable: { readonly cut: readonly string[]; readonly whole: readonly string[] },
): SwitchSocket {
  let isThere = false;
  let isCut = false;
  let limitBytesPerSecond: number | undefined;

  const applyCable = async (): Promise<void> => {
    if (isThere) await namespace.run("ip", ["link", "set", name, ...(isCut ? cable.cut : cable.whole)]);
  };
  const applyLimit = async (): Promise<void> => {
    if (!isThere) return;
    // Fails only where there was no limit.
    await namespace.run("tc", ["qdisc", "del", "dev", name, "root"]).catch(() => undefined);
    if (limitBytesPerSecond === undefined) return;
    const bucket = ["rate", `${limitBytesPerSecond}bps`, "burst", "64kb", "latency", "200ms"];
    await namespace.run("tc", ["qdisc", "add", "dev", name, "root", "tbf", ...bucket]);
  };
  return {
    async powerOn(add) {
      if (isThere) return;
      await add();
      isThere = true;
      await applyLimit();
      await applyCable();
    },
    async powerOff() {
      if (!isThere) return;
      isThere = false;
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
