import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { cutOff } from "../../proto/connections/cut-off.ts";
import { judgeController } from "./judge-controller.ts";

/** What the door shows, and whom it believes. */
export interface DoorTrust {
  /** Key and certificate of this agent, ciphers and version. */
  readonly server: SecureContextOptions;
  readonly authorities: readonly X509Certificate[];
}

/** Lets the controller in, and nobody else. */
export interface ControllerDoor {
  /** Takes a connection as the kernel accepted it, and sees to its end. */
  knocked(connection: Socket): void;
  /** What it shows to those who connect from now on. */
  show(trust: DoorTrust): void;
  close(): void;
}

/**
 * Handshakes at once. A controller opens one connection or two; of the address that has the most, the oldest makes room,
 * so that a stranger cannot keep the controller out, however fast he knocks.
 */
const mostHandshakes = 8;
/**
 * From the first byte to the last of a handshake, in milliseconds. A Pi 3 signs in ten; one that is busy with its card and
 * its network may need many seconds, and what it holds meanwhile is bounded by number.
 */
const handshakeMs = 60_000;
/** Refusals are logged no more often than this, in milliseconds: strangers must not fill the log. */
const quietMs = 60_000;

/**
 * TLS 1.3 with certificates on both sides: `admitted` gets the connections of whoever has proved to be pallet://controller
 * by an authority that this agent believes. Before there is a certificate to show, connections are reset unheard.
 */
export function createControllerDoor(parts: {
  readonly admitted: (connection: TLSSocket) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
}): ControllerDoor {
  const { admitted, now, log } = parts;
  let authorities: readonly X509Certificate[] | undefined;
  /** Those that have not ended their handshake, the oldest first, by the address and port that they came from. */
  const knocking = new Map<string, Socket>();
  let refused = 0;
  let quietUntil = Number.NEGATIVE_INFINITY;

  const refuse = (connection: Socket, from: string | undefined, why: string): void => {
    connection.destroy();
    refused += 1;
    const at = performance.now();
    if (at < quietUntil) return;
    log.warn({ from, refused }, `refused a connection: it ${why}; only the controller may give orders`);
    refused = 0;
    quietUntil = at + quietMs;
  };

  const server = createServer({
    requestCert: true,
    // Judged below, by the one rule of both ends, and with a word in the log.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["h2"],
  });
  server.on("secureConnection", (connection) => {
    knocking.delete(endOf(connection));
    // A client that resets at once must not end this process.
    connection.on("error", () => connection.destroy());
    const shown = connection.getPeerX509Certificate();
    const why = judgeController(shown?.raw, { authorities: authorities ?? [], nowMs: now() }, "client");
    if (why !== undefined) return refuse(connection, connection.remoteAddress, why);
    admitted(connection);
  });
  server.on("tlsClientError", (error, connection) => {
    knocking.delete(endOf(connection));
    refuse(connection, connection.remoteAddress, `did not do a TLS handshake (${error.message})`);
  });

  return {
    knocked(connection) {
      if (authorities === undefined) {
        cutOff(connection);
        return;
      }
      const end = endOf(connection);
      knocking.set(end, connection);
      connection.once("close", () => {
        if (knocking.get(end) === connection) knocking.delete(end);
      });
      if (knocking.size > mostHandshakes) {
        const byAddress = Map.groupBy(knocking, ([, { remoteAddress }]) => remoteAddress);
        const [most] = [...byAddress.values()].toSorted((one, other) => other.length - one.length);
        const [oldest] = most ?? [];
        if (oldest !== undefined) {
          knocking.delete(oldest[0]);
          oldest[1].destroy();
        }
      }
      server.emit("connection", connection);
    },
    show(trust) {
      server.setSecureContext(trust.server);
      authorities = trust.authorities;
    },
    close() {
      for (const connection of knocking.values()) connection.destroy();
      server.close();
    },
  };
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
