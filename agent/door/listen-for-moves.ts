import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { AgentIds } from "../../proto/grpc/agent-ids.ts";
import type { Endpoint } from "../../proto/names/endpoint.ts";
import { decodeControllerMoved } from "../../proto/node/controller-moved.ts";

/**
 * Listens on UDP until the signal aborts for a controller that says where it lives now: one that came back under another
 * address may not connect. `moved` gets what names exactly this run of the agent; everything else is dropped unanswered.
 * Where the port cannot be had, the controller is found by its known addresses only, and that is logged.
 */
export function listenForMoves(
  options: {
    readonly address: string;
    readonly port: number;
    readonly ids: AgentIds;
    readonly moved: (controllers: readonly Endpoint[]) => void;
    readonly log: { warn(details: object, message: string): void };
  },
  signal: AbortSignal,
): Socket {
  const { address, port, ids, moved, log } = options;
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  const close = (): void => {
    signal.removeEventListener("abort", close);
    socket.close();
  };
  socket.on("error", (error) => {
    log.warn({ err: error, address, port }, "cannot listen on UDP for a controller that has another address now");
    close();
  });
  socket.on("message", (datagram) => {
    const controllers = decodeControllerMoved(datagram, ids);
    if (controllers !== undefined) moved(controllers);
  });
  signal.addEventListener("abort", close);
  socket.bind({ address, port, exclusive: true });
  return socket;
}
