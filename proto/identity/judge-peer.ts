import type { X509Certificate } from "node:crypto";
import { fingerprintOf } from "./authority-name.ts";
import { type Identity, identityOf } from "./identity.ts";

/** Extended key usages (RFC 5280, 4.2.1.12): what a certificate may be presented as. */
export const keyUses = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** What a certificate proves. */
export interface Proved {
  readonly identity: Identity;
  /** Fingerprint of the authority that signed it. */
  readonly authority: string;
  /** Fingerprint of the certificate itself. */
  readonly fingerprint: string;
  /** When it expires, or did, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What is known of the other end of a TLS connection. */
export type PeerVerdict =
  | ({ readonly kind: "known" } & Proved)
  /** A certificate of ours whose time is over. */
  | ({ readonly kind: "expired" } & Proved)
  /** A certificate that proves nothing here; why, for a sentence that starts with "its certificate". */
  | { readonly kind: "stranger"; readonly why: string }
  /** No certificate. */
  | { readonly kind: "nobody" };

/**
 * Judges the certificate that the other end of a connection has proved to hold the key of. An authority signs for its
 * peers itself, so there are no chains to follow; what counts is its signature, the one name, the use, and the time.
 *
 * @param nowMs milliseconds since the epoch. Every certificate of ours begins in 1970, so a clock that is behind refuses
 *   nothing
 */
export function judgePeer(
  certificate: X509Certificate | undefined,
  authorities: readonly X509Certificate[],
  nowMs: number,
  use: keyof typeof keyUses,
): PeerVerdict {
  if (certificate === undefined) return { kind: "nobody" };
  const signer = authorities.find((authority) => isSignedBy(certificate, authority));
  if (signer === undefined) return { kind: "stranger", why: "is signed by no authority that is known here" };
  if (certificate.ca) return { kind: "stranger", why: "is that of an authority" };
  const identity = identityOf(certificate);
  if (identity === undefined) return { kind: "stranger", why: "names nobody" };
  if (!(certificate.keyUsage ?? []).includes(keyUses[use])) {
    return { kind: "stranger", why: `is not meant for a ${use}` };
  }
  const expiresAt = certificate.validToDate.getTime();
  const proved: Proved = {
    identity,
    authority: fingerprintOf(signer.raw),
    fingerprint: fingerprintOf(certificate.raw),
    expiresAt,
  };
  return nowMs > expiresAt ? { kind: "expired", ...proved } : { kind: "known", ...proved };
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  try {
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
}
