import type { Socket } from "node:net";
import { plainAddress } from "../names/plain-address.ts";
import { type Clock, monotonicClock } from "../time/clock.ts";
import { admitConnection, type ConnectionLimits, type OpenConnection } from "./admit-connection.ts";
import { cutOff } from "./cut-off.ts";

/** The connections of one listening socket, and what they are at. */
export interface BoundedConnections {
  /**
   * Counts a connection until it has closed. At a limit another one is closed for it, or this one, which then is
   * answered by false. To be called before anything is read from it.
   */
  admit(socket: Socket): boolean;
  /** A connection begins one more piece of work, for example a request. Returns how many it is at now. */
  begin(socket: Ends): number;
  /** A piece of work has ended. */
  end(socket: Ends): void;
}

/** What tells a connection of others; the TLS socket on top of a TCP socket has the same. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort">;

export interface BoundedConnectionsOptions {
  readonly limits: ConnectionLimits;
  /** Whether `begin` and `end` are called, so that a connection without work is an idle one. */
  readonly tellsWork: boolean;
  /** Told at most once a minute what was closed or refused since it was told last. */
  readonly log: { warn(details: object, message: string): void };
  /** A monotonic one. */
  readonly clock?: Clock;
}

/** Refusals are logged no more often than this, in milliseconds: strangers must not fill the log. */
const quietMs = 60_000;

interface Entry {
  readonly address: string;
  readonly socket: Socket;
  readonly openedAtMs: number;
  idleSinceMs: number;
  works: number;
}

/** Bounds how many connections are open at one time, of one address and of all. */
export function createBoundedConnections(options: BoundedConnectionsOptions): BoundedConnections {
  const { limits, tellsWork, log, clock = monotonicClock } = options;
  const entries = new Map<string, Entry>();
  let since = { refused: 0, closed: 0 };
  let quietUntilMs = Number.NEGATIVE_INFINITY;

  const note = (what: "refused" | "closed", address: string): void => {
    since = { ...since, [what]: since[what] + 1 };
    const now = clock.now();
    if (now < quietUntilMs) return;
    log.warn({ from: address, ...since }, "too many connections: some were refused, or closed in favour of others");
    since = { refused: 0, closed: 0 };
    quietUntilMs = now + quietMs;
  };

  const seen = (now: number): readonly (OpenConnection & { readonly key: string; readonly entry: Entry })[] =>
    [...entries].map(([key, entry]) => ({
      key,
      entry,
      address: entry.address,
      ageMs: now - entry.openedAtMs,
      ...(tellsWork && entry.works === 0 && { idleMs: now - entry.idleSinceMs }),
    }));

  const close = (key: string, { socket, address }: Entry): void => {
    entries.delete(key);
    socket.destroy();
    note("closed", address);
  };

  return {
    admit(socket) {
      const now = clock.now();
      const address = plainAddress(socket.remoteAddress ?? "unknown");
      const admission = admitConnection(seen(now), address, limits);
      if (!admission.admitted) {
        cutOff(socket);
        note("refused", address);
        return false;
      }
      if (admission.givesWay !== undefined) close(admission.givesWay.key, admission.givesWay.entry);
      const key = keyOf(socket);
      const entry: Entry = { address, socket, openedAtMs: now, idleSinceMs: now, works: 0 };
      entries.set(key, entry);
      socket.once("close", () => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      return true;
    },
    begin(socket) {
      const entry = entries.get(keyOf(socket));
      if (entry === undefined) return 1;
      entry.works += 1;
      return entry.works;
    },
    end(socket) {
      const entry = entries.get(keyOf(socket));
      if (entry === undefined) return;
      entry.works = Math.max(0, entry.works - 1);
      entry.idleSinceMs = clock.now();
    },
  };
}

function keyOf({ remoteAddress = "", remotePort = 0 }: Ends): string {
  return `${remoteAddress} ${remotePort}`;
}
