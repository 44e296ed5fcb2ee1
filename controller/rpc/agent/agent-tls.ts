import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { serverNameOf } from "../../../proto/identity/authority-name.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import type { MeantAgent } from "../../agents/agent-port.ts";
import type { Authority } from "../../identity/authority.ts";
import type { PeerJudge } from "../../identity/peer-judge.ts";
import { whyNotMeant } from "./judge-agent.ts";

/** How connections to agents are secured. */
export interface AgentTls {
  /**
   * A TLS 1.3 client on a connection to what listens where an agent is expected. Both sides prove who they are; rejects
   * with WrongAgent when the other side is not the agent that is meant, and otherwise with why there is no TLS.
   */
  secure(socket: Socket, meant: MeantAgent): Promise<TLSSocket>;
  /** Notes by whose signature a node proved who it is: that authority it believes. */
  noteAuthority(nodeId: NodeId, fingerprint: string): void;
}

/** What listens at an agent's address is not the agent that is meant; the message says what is. */
export class WrongAgent extends Error {}

/**
 * @param authority with whose certificates the controller proves to agents who it is
 * @param judge judges theirs
 */
export function createAgentTls({
  authority,
  judge,
}: {
  readonly authority: Pick<Authority, "leafFor">;
  readonly judge: PeerJudge;
}): AgentTls {
  /** Nodes whose agents do not know the current authority yet, or did not when they were last heard. */
  const believed = new Map<NodeId, string>();

  function noteAuthority(nodeId: NodeId, fingerprint: string): void {
    believed.set(nodeId, fingerprint);
  }

  async function secure(socket: Socket, meant: MeantAgent): Promise<TLSSocket> {
    const fingerprint = meant.nodeId && believed.get(meant.nodeId);
    const { key, cert } = authority.leafFor(fingerprint === undefined ? undefined : serverNameOf(fingerprint));
    const secured = await shakeHands(socket, key, cert);
    const shown = secured.getPeerX509Certificate();
    const verdict = judge(shown && new X509Certificate(shown.raw), "server");
    const why = whyNotMeant(verdict, meant);
    if (why !== undefined) {
      secured.destroy();
      throw new WrongAgent(why);
    }
    // The next connection is made with the certificate that this agent can judge, if this one was not.
    if (verdict.kind === "known" && meant.nodeId !== undefined) noteAuthority(meant.nodeId, verdict.authority);
    return secured;
  }

  return { secure, noteAuthority };
}

function shakeHands(socket: Socket, key: string, cert: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      ...{ socket, key, cert, ca: cert },
      minVersion: "TLSv1.3",
      ALPNProtocols: ["h2"],
      // It is judged by its one name and its signature, which no address has to do with.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    secured.once("secureConnect", () => resolve(secured));
    secured.on("error", (error: NodeJS.ErrnoException) => {
      socket.destroy();
      reject(
        isNoTls(error) ? new WrongAgent("speaks no TLS: it is an agent from before Pallet spoke it, or none") : error,
      );
    });
    secured.once("close", () => reject(new Error("the connection was closed during the TLS handshake")));
  });
}

/** What OpenSSL makes of an answer that is no TLS record (openssl/sslerr.h). */
function isNoTls({ code = "" }: NodeJS.ErrnoException): boolean {
  return ["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_HTTP_REQUEST"].includes(code);
}
