import { constants } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import { limits as tableOfLimits } from "../../proto/limits.ts";
import { isLoopback, plainAddress } from "../../proto/names/plain-address.ts";
import { createRateLimit, type Rate } from "../records/rate-limit.ts";

/** A key and its certificate, with its CA's behind it, both in PEM. */
export interface Leaf {
  readonly key: string;
  readonly cert: string;
}

/** What a server of the controller's shows of itself. */
export interface ServerIdentity {
  /**
   * What is shown for this server name (SNI, RFC 6066); undefined: to whoever names none, as many a client that connects
   * to an address.
   */
  leafFor(serverName: string | undefined): Leaf;
}

/** Why nobody was served on a connection; "unserved": whoever was to serve it failed, which is a defect of ours. */
export type HandshakeProblem = "too-many" | "timed-out" | "failed" | "plain" | "unserved";

/** Bounds of what has proved nothing yet; time in milliseconds. */
export interface HandshakeLimits {
  /**
   * Handshakes at one time. Of everybody: then the oldest of the address that has most is closed for the next, so that
   * strangers at many addresses do not keep nodes out, which need milliseconds. Of one address: what is more is closed at once.
   */
  readonly most: number;
  readonly mostPerAddress: number;
  /**
   * Connections of one address: a handshake costs more than all else that a stranger can ask for. What is more is closed
   * at once.
   */
  readonly ratePerAddress: Rate;
  /** From the connection to the end of its handshake. */
  readonly timeoutMs: number;
}

export interface TlsListenerOptions {
  readonly address: string;
  /** TCP port; 0 lets the system choose. */
  readonly port: number;
  readonly identity: ServerIdentity;
  /** What is spoken inside, by its name in ALPN (RFC 7301). */
  readonly protocol: "h2" | "http/1.1";
  /**
   * Gets each connection whose handshake is complete. Its peer has the key of the certificate that it shows, if it shows
   * one; whose certificate that is was **not** judged.
   */
  readonly secured: (socket: TLSSocket) => void;
  /** Gets a connection whose first byte begins no handshake, with that byte unread; default: it is closed. */
  readonly plain?: (socket: Socket) => void;
  readonly onProblem?: (problem: HandshakeProblem, address: string, error?: unknown) => void;
  readonly limits?: Partial<HandshakeLimits>;
  /** Whether `ratePerAddress` is for an address; default: for all but this machine's own. */
  readonly isPaced?: (address: string) => boolean;
}

export interface TlsListener {
  readonly port: number;
  /** Shows the current identity to all who connect from now on. */
  renew(): void;
  /** Takes no more connections, and cuts those whose handshake is not complete. */
  close(): void;
}

const defaultLimits: HandshakeLimits = {
  most: tableOfLimits.tls.handshakes.most,
  mostPerAddress: tableOfLimits.tls.handshakesPerAddress.most,
  ratePerAddress: {
    burst: tableOfLimits.tls.connectionsAtOnce.most,
    perSecond: tableOfLimits.tls.connectionsPerSecond.most,
  },
  timeoutMs: tableOfLimits.tls.handshakeMs.most,
};

/** The first byte of a TLS connection: a record of type handshake (RFC 8446, section 5.1). */
const handshakeRecord = 0x16;

/**
 * Listens for TLS 1.3 alone, and asks every client for a certificate. What has not completed its handshake holds a
 * descriptor for some seconds at most, and no address can hold them all.
 *
 * Ciphers are chosen in the client's order: a board without AES instructions knows what is cheap for it. No session is
 * resumed: a handshake is cheap, and in each the client shows its certificate.
 *
 * Resolves when it listens; rejects with the error of listen(2).
 */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const { identity, onProblem = () => undefined, isPaced = (address: string) => !isLoopback(address) } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const constant = {
    minVersion: "TLSv1.3",
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  const contexts = new WeakMap<Leaf, SecureContext>();
  const tls = createTlsServer({
    ...constant,
    ...optionsOf(identity.leafFor(undefined)),
    requestCert: true,
    // Who it is, and whether that is enough, is judged call by call: a stranger may enrol.
    rejectUnauthorized: false,
    ALPNProtocols: [options.protocol],
    handshakeTimeout: limits.timeoutMs,
    SNICallback(serverName, done) {
      try {
        const leaf = identity.leafFor(serverName);
        const context = contexts.get(leaf) ?? createSecureContext(optionsOf(leaf));
        contexts.set(leaf, context);
        done(null, context);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  /** What ends the count of a connection as one that has proved nothing; both of its sockets have these addresses. */
  const releases = new Map<string, () => void>();
  const nameOf = (of: Socket): string => [of.remoteAddress, of.remotePort, of.localAddress, of.localPort].join(" ");
  /** Whatever a stranger's connection makes of its server, it ends that connection and not the process. */
  function hand<Kind extends Socket>(socket: Kind, to: (socket: Kind) => void): void {
    try {
      to(socket);
    } catch (error) {
      onProblem("unserved", plainAddress(socket.remoteAddress ?? "unknown"), error);
      socket.destroy();
    }
  }

  tls.on("secureConnection", (socket) => {
    releases.get(nameOf(socket))?.();
    // Otherwise an error that comes before somebody listens to this socket would end the process.
    socket.on("error", () => socket.destroy());
    hand(socket, options.secured);
  });
  tls.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const isLate = error.code === "ERR_TLS_HANDSHAKE_TIMEOUT";
    onProblem(isLate ? "timed-out" : "failed", plainAddress(socket.remoteAddress ?? "unknown"), error);
    socket.destroy();
  });

  const rate = createRateLimit({ perAddress: limits.ratePerAddress });
  const byAddress = new Map<string, Set<Socket>>();
  /** Those that count, and how each is no longer counted. */
  const unproved = new Map<Socket, () => void>();

  /** Closes the oldest of the address that has most: a node has one or two, and needs milliseconds. */
  function makeRoom(): void {
    let [most] = byAddress;
    for (const each of byAddress) if (each[1].size > (most?.[1].size ?? 0)) most = each;
    const [waiting] = most?.[1] ?? [];
    if (most === undefined || waiting === undefined) return;
    onProblem("too-many", most[0]);
    unproved.get(waiting)?.();
    waiting.destroy();
  }

  /** Counts the socket until its handshake is complete or it is gone. */
  function admit(socket: Socket, address: string): (() => void) | undefined {
    const ofAddress = byAddress.get(address) ?? new Set<Socket>();
    if (ofAddress.size >= limits.mostPerAddress) return undefined;
    if (unproved.size >= limits.most) makeRoom();
    byAddress.set(address, ofAddress.add(socket));
    const name = nameOf(socket);
    const release = (): void => {
      if (!ofAddress.delete(socket)) return;
      releases.delete(name);
      unproved.delete(socket);
      if (ofAddress.size === 0) byAddress.delete(address);
    };
    releases.set(name, release);
    unproved.set(socket, release);
    return release;
  }

  const server = createServer({ noDelay: true }, (socket) => {
    const address = plainAddress(socket.remoteAddress ?? "unknown");
    socket.on("error", () => socket.destroy());
    const isTooSoon = isPaced(address) && !rate.admits(address, performance.now());
    const release = isTooSoon ? undefined : admit(socket, address);
    if (release === undefined) {
      onProblem("too-many", address);
      socket.destroy();
      return;
    }
    socket.once("close", release);
    const silence = setTimeout(() => {
      onProblem("timed-out", address);
      socket.destroy();
    }, limits.timeoutMs);
    socket.once("close", () => clearTimeout(silence));
    socket.once("data", (bytes: Buffer) => {
      clearTimeout(silence);
      socket.pause();
      socket.unshift(bytes);
      if (bytes[0] === handshakeRecord) {
        tls.emit("connection", socket);
        return;
      }
      release();
      onProblem("plain", address);
      if (options.plain === undefined) socket.destroy();
      else hand(socket, options.plain);
    });
  });
  server.listen(options.port, options.address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    renew: () => tls.setSecureContext({ ...constant, ...optionsOf(identity.leafFor(undefined)) }),
    close() {
      server.close();
      for (const sockets of byAddress.values()) for (const socket of sockets) socket.destroy();
    },
  };
}

/** Without CAs of ours, Node would take those of the Web. */
function optionsOf({ key, cert }: Leaf): SecureContextOptions {
  return { key, cert, ca: cert };
}
