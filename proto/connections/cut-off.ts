import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * Ends a connection at once. Bare TCP is reset (RFC 9293, section 3.10.5), so that whoever is refused learns it without a
 * round trip, and nothing is left to wait for. Only TCP can be: Node throws for a TLS socket, which is closed.
 */
export function cutOff(socket: Socket): void {
  if (socket instanceof TLSSocket || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
