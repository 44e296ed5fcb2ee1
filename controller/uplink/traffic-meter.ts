import { plainAddress } from "../../proto/names/plain-address.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { rateOf, type Sample, withSample } from "./rate-window.ts";

/** The metered part of a socket: its own byte count, so that metering costs nothing. */
export interface MeteredSocket {
  readonly remoteAddress?: string | undefined;
  readonly bytesWritten: number;
  once(event: "close", listener: () => void): unknown;
}

/** Measures how fast bytes go to each address. */
export interface TrafficMeter {
  /** Counts what is written to a connection from now on. */
  watch(socket: MeteredSocket): void;
  /** Bytes per second to the address over the last seconds. */
  rateOf(address: string): number;
  /** Bytes per second to all addresses together. */
  totalRate(): number;
}

interface Peer {
  bytes: number;
  samples: readonly Sample[];
  readonly sockets: Map<MeteredSocket, number>;
}

const intervalMs = 500;

/** Builds a meter. It has a timer only while there are connections, and for a moment after. */
export function createTrafficMeter({ clock }: { readonly clock: Clock }): TrafficMeter {
  const peers = new Map<string, Peer>();
  const never = new AbortController().signal;
  let isTicking = false;

  function count(peer: Peer): void {
    for (const [socket, before] of peer.sockets) {
      const { bytesWritten } = socket;
      peer.bytes += bytesWritten - before;
      peer.sockets.set(socket, bytesWritten);
    }
  }

  function tick(): void {
    const now = clock.now();
    for (const [address, peer] of peers) {
      count(peer);
      peer.samples = withSample(peer.samples, { at: now, bytes: peer.bytes });
      if (peer.sockets.size === 0 && rateOf(peer.samples) === 0) peers.delete(address);
    }
    isTicking = peers.size > 0;
    if (isTicking) clock.setTimeout(tick, intervalMs, never);
  }

  function rate(peer: Peer | undefined): number {
    return peer === undefined ? 0 : rateOf(peer.samples);
  }

  return {
    watch(socket) {
      const address = plainAddress(socket.remoteAddress ?? "unknown");
      const now = clock.now();
      const peer = peers.get(address) ?? { bytes: 0, samples: [{ at: now, bytes: 0 }], sockets: new Map() };
      peers.set(address, peer);
      peer.sockets.set(socket, socket.bytesWritten);
      socket.once("close", () => {
        count(peer);
        peer.sockets.delete(socket);
      });
      if (isTicking) return;
      isTicking = true;
      clock.setTimeout(tick, intervalMs, never);
    },
    rateOf: (address) => rate(peers.get(plainAddress(address))),
    totalRate: () => [...peers.values()].reduce((sum, peer) => sum + rate(peer), 0),
  };
}
