import { createHash } from "node:crypto";

/** How a name of ours ends; ".internal" belongs to nobody on the Internet (ICANN, 2024). */
const serverSuffix = ".pallet.internal";

/** SHA-256 of a certificate's DER in base64url, 43 characters: how a kernel word names the authority to believe. */
export function fingerprintOf(certificateDer: Uint8Array): string {
  return createHash("sha256").update(certificateDer).digest("base64url");
}

/** A fingerprint as it was written; undefined for a text that is none. */
export function parseFingerprint(text: string): string | undefined {
  const octets = Buffer.from(text, "base64url");
  return octets.length === 32 && octets.toString("base64url") === text ? text : undefined;
}

/** How people and server names call an authority: the first 32 hexadecimal digits of its fingerprint. */
export function authorityIdOf(fingerprint: string): string {
  return Buffer.from(fingerprint, "base64url").toString("hex").slice(0, 32);
}

/**
 * The server name (SNI, RFC 6066) by which one who believes this authority asks for a certificate of it: a controller
 * with several authorities, in the middle of a rotation, then presents the one that the caller can judge.
 */
export function serverNameOf(fingerprint: string): string {
  return `${authorityIdOf(fingerprint)}${serverSuffix}`;
}

/** The id of the authority that a server name asks for; undefined for any other name. */
export function parseServerName(name: string): string | undefined {
  return /^([0-9a-f]{32})\.pallet\.internal$/.exec(name)?.[1];
}
