import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { encodeControllerMoved } from "../../../proto/node/controller-moved.ts";
import type { Announce } from "../../agents/seek-agents.ts";

/** Tells agents over UDP where this controller lives now. */
export interface Announcer {
  readonly announce: Announce;
  close(): void;
}

/** Opens its sockets when they are needed. What cannot be sent is logged: the agent is told again in the next round. */
export function createAnnouncer(log: { debug(details: object, message: string): void }): Announcer {
  const sockets = new Map<"udp4" | "udp6", Socket>();
  const socketFor = (address: string): Socket => {
    const type = isIPv6(address) ? "udp6" : "udp4";
    const existing = sockets.get(type);
    if (existing !== undefined) return existing;
    const socket = createSocket(type);
    socket.on("error", (error) => log.debug({ err: error }, "could not tell an agent where this controller is"));
    socket.unref();
    sockets.set(type, socket);
    return socket;
  };
  return {
    announce({ address, port }, moved) {
      socketFor(address).send(encodeControllerMoved(moved), port, address, (error) => {
        if (error !== null)
          log.debug({ err: error, address, port }, "could not tell an agent where this controller is");
      });
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
