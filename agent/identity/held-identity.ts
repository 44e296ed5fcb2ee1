import type { X509Certificate } from "node:crypto";
import { createSecureContext, type PeerCertificate, type SecureContext, type SecureContextOptions } from "node:tls";
import { fingerprintOf, serverNameOf } from "../../proto/identity/authority-name.ts";
import { type AgentIdentity, renderAgentIdentity } from "../../proto/system/agent-identity.ts";
import { judgeController } from "../door/judge-controller.ts";

/** How to connect to the controller, and to nobody else. */
export interface ClientTls {
  readonly secureContext: SecureContext;
  /** By which the controller chooses its certificate; see `serverNameOf`. */
  readonly servername: string;
  /** Besides OpenSSL's own judgement of signature and time: whether it is the controller. */
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** The identity that an agent goes by, ready to be used at both ends of TLS. */
export interface HeldIdentity extends AgentIdentity {
  readonly client: ClientTls;
  readonly server: SecureContextOptions;
}

/** The agent's identity as it is now. */
export interface IdentityHolder {
  current(): HeldIdentity | undefined;
  hold(identity: AgentIdentity): HeldIdentity;
}

/**
 * Holds nothing at first.
 *
 * @param held is called with each identity, before anything else goes by it
 */
export function createIdentityHolder(ciphers: string, held: (identity: HeldIdentity) => void): IdentityHolder {
  let current: HeldIdentity | undefined;
  return {
    current: () => current,
    hold(identity) {
      const server = { ...baseOptions(ciphers, identity.authorities), ...ownOptions(identity) };
      const next = { ...identity, server, client: clientTls(ciphers, identity.authorities, identity) };
      current = next;
      held(next);
      return next;
    },
  };
}

/**
 * How to connect to a controller of these authorities, at least one, with a certificate of one's own or without. The
 * first authority is the one that it is asked for.
 */
export function clientTls(
  ciphers: string,
  authorities: readonly X509Certificate[],
  own?: Pick<AgentIdentity, "key" | "certificate">,
): ClientTls {
  const [first] = authorities;
  if (first === undefined) throw new TypeError("nobody can be believed without an authority");
  return {
    secureContext: createSecureContext({ ...baseOptions(ciphers, authorities), ...(own && ownOptions(own)) }),
    servername: serverNameOf(fingerprintOf(first.raw)),
    checkServerIdentity(_, { raw }) {
      const why = judgeController(raw, { authorities, nowMs: Date.now() }, "server");
      return why === undefined ? undefined : new Error(`it ${why}`);
    },
  };
}

function baseOptions(ciphers: string, authorities: readonly X509Certificate[]): SecureContextOptions {
  return { ciphers, minVersion: "TLSv1.3", ca: authorities.map(String) };
}

function ownOptions(own: Pick<AgentIdentity, "key" | "certificate">): SecureContextOptions {
  return { key: String(own.key.export({ type: "pkcs8", format: "pem" })), cert: String(own.certificate) };
}

/** Whether both say the same of the agent and of whom it believes. */
export function sameIdentity(one: AgentIdentity, other: AgentIdentity): boolean {
  return renderAgentIdentity(one) === renderAgentIdentity(other);
}
