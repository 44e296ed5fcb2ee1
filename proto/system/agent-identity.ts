import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Failure, messageOf } from "../failure.ts";
import { derToPem, pemToDer } from "../identity/pem.ts";
import type { AgentRole } from "./agent-program.ts";

/** What an agent shows who it is with, and whom it believes. */
export interface AgentIdentity {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  /** The controller's certificate authorities: the current one first, then those that it had before; at least one. */
  readonly authorities: readonly X509Certificate[];
}

/**
 * Where an agent keeps its identity: root's alone (mode 0600). One file, so that replacing it is one rename. A netbooted
 * node's lies in RAM, as /run does: there it outlives the agent, but not the boot that it names.
 */
export const identityPaths = {
  netboot: "/run/pallet/identity/agent.pem",
  resident: "/etc/pallet/identity/agent.pem",
} as const satisfies Record<AgentRole, string>;

/** Most authorities: the current one and those of rotations that are not over. */
const mostAuthorities = 16;

/** The text of the file: PEM (RFC 7468) of the key (PKCS #8), its certificate, and the authorities. */
export function renderAgentIdentity({ key, certificate, authorities }: AgentIdentity): string {
  return [
    derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY"),
    ...[certificate, ...authorities].map(({ raw }) => derToPem(raw, "CERTIFICATE")),
  ].join("");
}

/** Parses the text of the file. Throws a Failure "invalid" that says what is wrong with it, and nothing of the key. */
export function parseAgentIdentity(text: string): AgentIdentity {
  const [key, ...otherKeys] = pemToDer(text, "PRIVATE KEY");
  const [own, ...authorities] = pemToDer(text, "CERTIFICATE");
  if (key === undefined || otherKeys.length > 0 || own === undefined || authorities.length === 0)
    throw broken("it must hold one private key, its certificate, and those of the controller's authorities, in PEM");
  if (authorities.length > mostAuthorities) throw broken(`it names more than ${mostAuthorities} authorities`);
  let identity: AgentIdentity;
  try {
    identity = {
      key: createPrivateKey({ key: Buffer.from(key), type: "pkcs8", format: "der" }),
      certificate: new X509Certificate(own),
      authorities: authorities.map((der) => new X509Certificate(der)),
    };
  } catch (error) {
    throw broken(messageOf(error));
  }
  if (!identity.certificate.checkPrivateKey(identity.key)) throw broken("the certificate is not that of the key");
  return identity;
}

/**
 * The authorities as an answer of the controller has them (DER); undefined when it names none, as those of before TLS,
 * or nothing that can be read.
 */
export function readAuthorities(told: readonly Uint8Array[]): readonly X509Certificate[] | undefined {
  if (told.length === 0 || told.length > mostAuthorities) return undefined;
  try {
    return told.map((der) => new X509Certificate(der));
  } catch {
    return undefined;
  }
}

function broken(problem: string): Failure {
  return new Failure("invalid", `the agent's identity is broken: ${problem}`);
}
