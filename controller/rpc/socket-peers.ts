import type { Socket } from "node:net";
import type { Caller } from "../callers/caller.ts";

/** Who is at the other end of each connection of the unix socket. */
export interface SocketPeers {
  /** Takes in a connection, before any call of it arrives. */
  admit(connection: Socket, caller: Caller): void;
  /** @param peer what grpc-js calls the peer of a call; undefined for one that did not come through the socket */
  callerOf(peer: string): Caller | undefined;
}

/**
 * grpc-js knows a peer by its address only, and those of a unix socket have none. So each connection is given one that
 * no other connection has while this program runs.
 */
export function createSocketPeers(): SocketPeers {
  const callers = new Map<string, Caller>();
  let admitted = 0;
  return {
    admit(connection, caller) {
      admitted += 1;
      const peer = `unix-${admitted}`;
      Object.defineProperty(connection, "remoteAddress", { value: peer });
      callers.set(peer, caller);
      connection.once("close", () => callers.delete(peer));
    },
    callerOf: (peer) => callers.get(peer),
  };
}
