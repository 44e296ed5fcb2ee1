import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/**
 * A UDP socket bound to a numeric address; port 0 lets the system choose. It never asks a name server: peers are the
 * numeric addresses that datagrams came from, and looking each of them up would cost every packet a turn of the loop.
 */
export function bindSocket(address: string, port: number): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/**
 * Whether a datagram has a sender. A source port of 0 is legal and means that no answer is wanted (RFC 768); node:dgram
 * throws when it is told to send there.
 */
export function isAnswerable({ port }: { readonly port: number }): boolean {
  return port !== 0;
}
