import type { Socket } from "node:net";
import type { ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/** Credentials of one channel, and the TCP connection that it makes with them. */
export interface OwnedSockets {
  readonly credentials: ChannelCredentials;
  /** Closes the connection now, also one that is still being made. Idempotent. */
  destroy(): void;
}

/**
 * The same credentials, but for one channel, whose TCP connection can be closed and is never replaced by another: a
 * channel that connects again after a break would ask whoever has the address by then.
 *
 * grpc-js waits forever for the first SETTINGS frame of a peer that accepts TCP, and closing the channel does not end
 * that (grpc-node issue 2785): every attempt to reach a hung agent would leave a socket behind. The only place where a
 * channel hands out its sockets is this method of its credentials, which grpc-js means for itself; the test of the
 * agent client against a peer that never answers fails when an update changes it.
 *
 * @param secure makes TLS of the connection, where there is to be any; grpc-js's own credentials judge by host names
 */
export function ownSockets(
  credentials: ChannelCredentials,
  secure?: (connection: Socket) => Promise<Socket>,
): OwnedSockets {
  const sockets = new Set<Socket>();
  let isSpent = false;
  const createConnector: ChannelCredentials["_createSecureConnector"] = (...given) => {
    const connector = credentials._createSecureConnector(...given);
    const own = (socket: Socket): Socket => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return socket;
    };
    const connect: SecureConnector["connect"] = async (socket) => {
      own(socket);
      if (isSpent) socket.destroy();
      isSpent = true;
      if (secure === undefined) return connector.connect(socket);
      return { socket: own(await secure(socket)), secure: true };
    };
    return {
      connect,
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return {
    // By its prototype it stays what grpc-js asks it to be an instance of.
    credentials: Object.create(credentials, { _createSecureConnector: { value: createConnector } }),
    destroy() {
      isSpent = true;
      // TLS before what it stands on: destroyed the other way round while the handshake ends, they end the process (Node 24).
      for (const socket of [...sockets].reverse()) socket.destroy();
    },
  };
}
