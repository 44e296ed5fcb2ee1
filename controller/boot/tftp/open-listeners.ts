import type { RemoteInfo, Socket } from "node:dgram";
import { errorCodeOf } from "../../../proto/linux/error-code-of.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { every } from "../../../proto/time/every.ts";
import { isWildcard, planListeners } from "./plan-listeners.ts";
import { bindSocket } from "./udp-socket.ts";

/** A socket that takes requests, and the address that its answers come from. */
export interface Listener {
  readonly address: string;
  readonly socket: Socket;
}

export interface Listeners {
  readonly port: number;
  /** Resolves when every socket is closed. */
  close(): Promise<void>;
}

export interface ListenersOptions {
  /** Numeric; a wildcard becomes one listener for each address of this machine, also for those that it gets later. */
  readonly address: string;
  /** UDP port; 0 lets the system choose. */
  readonly port: number;
  readonly ownAddresses: () => readonly string[];
  readonly clock: Clock;
  readonly onMessage: (bytes: Uint8Array, from: RemoteInfo, listener: Listener) => void;
  readonly onError: (error: Error, at: { readonly address: string; readonly port: number }) => void;
}

/** How soon a new address of this machine is served; boards ask again for longer than that. */
const lookAgainMs = 2000;
/** A free port on the first address may be taken on the second. */
const portTries = 10;

/**
 * Opens the sockets that take requests. Rejects with the error of bind(2), and then leaves none open. An address that
 * disappears loses its listener; one that cannot be opened later is reported once, and tried again.
 */
export async function openListeners(options: ListenersOptions): Promise<Listeners> {
  const { address, ownAddresses, clock, onMessage, onError } = options;
  const listeners = new Map<string, Listener>();
  const reported = new Set<string>();
  const closed = new AbortController();

  const serve = (at: string, socket: Socket): void => {
    const listener: Listener = { address: at, socket };
    const { port: own } = socket.address();
    listeners.set(at, listener);
    socket.on("message", (bytes, from) => onMessage(bytes, from, listener));
    socket.on("error", (error) => onError(error, { address: at, port: own }));
  };

  const openAll = async (wanted: number): Promise<number> => {
    let chosen = wanted;
    for (const at of planListeners(address, ownAddresses())) {
      const socket = await bindSocket(at, chosen).catch((error: unknown) => {
        // An address is listed before it can be used (tentative, RFC 4862 section 5.4), and after it has gone.
        if (isWildcard(address) && errorCodeOf(error) === "EADDRNOTAVAIL") return undefined;
        throw error;
      });
      if (socket === undefined) continue;
      chosen = socket.address().port;
      serve(at, socket);
    }
    return chosen;
  };

  const closeAll = async (): Promise<void> => {
    const open = [...listeners.values()];
    listeners.clear();
    await Promise.all(open.map(({ socket }) => new Promise<void>((resolve) => socket.close(resolve))));
  };

  const openOnOnePort = async (): Promise<number> => {
    for (let left = portTries; ; left -= 1) {
      try {
        return await openAll(options.port);
      } catch (error) {
        await closeAll();
        if (options.port !== 0 || errorCodeOf(error) !== "EADDRINUSE" || left <= 1) throw error;
      }
    }
  };

  const port = await openOnOnePort();

  const report = (error: unknown, at: string): void =>
    onError(error instanceof Error ? error : new Error(String(error)), { address: at, port });

  const follow = async (): Promise<void> => {
    const wanted = new Set(planListeners(address, ownAddresses()));
    for (const [at, { socket }] of listeners) {
      if (wanted.has(at)) continue;
      listeners.delete(at);
      socket.close();
    }
    for (const at of wanted) {
      if (listeners.has(at)) continue;
      try {
        const socket = await bindSocket(at, port);
        if (closed.signal.aborted) socket.close();
        else serve(at, socket);
        reported.delete(at);
      } catch (error) {
        if (errorCodeOf(error) === "EADDRNOTAVAIL" || reported.has(at)) continue;
        reported.add(at);
        report(error, at);
      }
    }
  };

  let following = Promise.resolve();
  if (isWildcard(address)) {
    const look = (): void => {
      following = following.then(follow).catch((error: unknown) => report(error, address));
    };
    every(clock, lookAgainMs, look, closed.signal);
  }

  return {
    port,
    async close() {
      closed.abort();
      await following;
      await closeAll();
    },
  };
}
