import { createPrivateKey, X509Certificate } from "node:crypto";
import { Failure } from "../../../proto/failure.ts";
import { fingerprintOf, serverNameOf } from "../../../proto/identity/authority-name.ts";
import { derToPem, pemToDer } from "../../../proto/identity/pem.ts";

/** What an operator proves by who he is, and judges the controller by. Everything in PEM. */
export interface Bundle {
  readonly key: string;
  readonly cert: string;
  /** The authorities' certificates, the current one first. */
  readonly ca: readonly string[];
  /** The server name by which a controller shows a certificate of that authority. */
  readonly serverName: string;
}

/**
 * The bundle in a file that "controller operator add" made. Throws a Failure that says nothing of what is in it.
 *
 * @param name of the file, for the message
 */
export function parseBundle(text: string, name: string): Bundle {
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0];
  const [own, ...authorities] = pemToDer(text, "CERTIFICATE");
  const [current] = authorities;
  if (key === undefined || own === undefined || current === undefined) {
    throw new Failure("invalid", `${name} is no operator's bundle, as "controller operator add" makes it`);
  }
  if (!belongTogether(key, own, authorities)) {
    throw new Failure(
      "invalid",
      `the bundle ${name} is damaged: get it again, or a new one by "controller operator revoke" and "operator add"`,
    );
  }
  // The bundle may be from before a rotation: who signed it is whom the controller shows then.
  const signer = authorities.find((authority) => isSignedBy(own, authority)) ?? current;
  return {
    key,
    cert: derToPem(own, "CERTIFICATE"),
    ca: authorities.map((authority) => derToPem(authority, "CERTIFICATE")),
    serverName: serverNameOf(fingerprintOf(signer)),
  };
}

/** What TLS would say of a damaged bundle names neither the file nor a remedy. */
function belongTogether(key: string, own: Uint8Array, authorities: readonly Uint8Array[]): boolean {
  try {
    for (const authority of authorities) new X509Certificate(authority);
    return new X509Certificate(own).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isSignedBy(certificate: Uint8Array, authority: Uint8Array): boolean {
  try {
    return new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey);
  } catch {
    return false;
  }
}
