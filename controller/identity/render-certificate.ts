import { createHash, type KeyObject, sign } from "node:crypto";
import { ecdsaWithSha256 } from "../../proto/identity/certificate-request.ts";
import { der, derBits, derInteger, derObjectId, derSequence, derTags } from "../../proto/identity/der.ts";
import { keyUses } from "../../proto/identity/judge-peer.ts";

/** When every certificate of ours begins to be valid: the clock of a Pi starts there. */
export const alwaysBegun = 0;
/** The end of a certificate that has none (RFC 5280, 4.1.2.5): 9999-12-31 23:59:59. */
export const neverEnds = Date.UTC(9999, 11, 31, 23, 59, 59);

/** What a certificate says. */
export interface CertificateContent {
  /** At least 8 random octets: authorities, and their certificates, are told apart by it. */
  readonly serial: Uint8Array;
  /** Common name of the one who signs. */
  readonly issuer: string;
  /** Common name of the subject; empty for those that are named by `names` alone. */
  readonly subject: string;
  readonly names: readonly { readonly kind: "uri" | "dns"; readonly value: string }[];
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
  /** SubjectPublicKeyInfo (DER) of the one whom it is about, and of the one who signs. */
  readonly publicKey: Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  /** "authority" signs certificates, and nothing else. */
  readonly uses: "authority" | readonly (keyof typeof keyUses)[];
}

/** An X.509 certificate (RFC 5280, version 3; DER), signed with ECDSA and SHA-256. */
export function renderCertificate(content: CertificateContent, issuerKey: KeyObject): Uint8Array {
  const { serial, issuer, subject, notAfter, publicKey } = content;
  const body = derSequence(
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    derSequence(timeOf(alwaysBegun), timeOf(notAfter)),
    nameOf(subject),
    publicKey,
    der(0xa3, derSequence(...extensionsOf(content))),
  );
  return derSequence(body, ecdsaWithSha256, derBits(sign("sha256", body, issuerKey)));
}

function extensionsOf({ names, subject, publicKey, issuerPublicKey, uses }: CertificateContent): Uint8Array[] {
  const isAuthority = uses === "authority";
  // keyUsage: keyCertSign and cRLSign, or digitalSignature (RFC 5280, 4.2.1.3), as a named bit list.
  const keyUsage = der(derTags.bitString, isAuthority ? Uint8Array.of(1, 0x06) : Uint8Array.of(7, 0x80));
  const basic = isAuthority ? derSequence(der(derTags.boolean, Uint8Array.of(0xff))) : derSequence();
  const extensions = [
    extension("2.5.29.14", false, der(derTags.octetString, keyIdOf(publicKey))),
    extension("2.5.29.35", false, derSequence(der(0x80, keyIdOf(issuerPublicKey)))),
    extension("2.5.29.15", true, keyUsage),
    extension("2.5.29.19", true, basic),
  ];
  if (!isAuthority) {
    extensions.push(extension("2.5.29.37", false, derSequence(...uses.map((use) => derObjectId(keyUses[use])))));
  }
  if (names.length > 0) {
    const tags = { uri: 0x86, dns: 0x82 } as const;
    const all = names.map(({ kind, value }) => der(tags[kind], Buffer.from(value, "ascii")));
    // Critical where there is no subject to read instead (RFC 5280, 4.2.1.6).
    extensions.push(extension("2.5.29.17", subject === "", derSequence(...all)));
  }
  return extensions;
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  const critical = isCritical ? [der(derTags.boolean, Uint8Array.of(0xff))] : [];
  return derSequence(derObjectId(id), ...critical, der(derTags.octetString, value));
}

/** Leftmost 160 bits of SHA-256 of the public key (RFC 7093, method 1). */
function keyIdOf(publicKey: Uint8Array): Uint8Array {
  // The point is the last 65 octets of the SubjectPublicKeyInfo of a P-256 key.
  return createHash("sha256").update(publicKey.subarray(-65)).digest().subarray(0, 20);
}

function nameOf(commonName: string): Uint8Array {
  if (commonName === "") return derSequence();
  const value = der(derTags.utf8String, Buffer.from(commonName, "utf8"));
  return derSequence(der(derTags.set, derSequence(derObjectId("2.5.4.3"), value)));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). */
function timeOf(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return new Date(ms).getUTCFullYear() < 2050
    ? der(derTags.utcTime, Buffer.from(digits.slice(2), "ascii"))
    : der(derTags.generalizedTime, Buffer.from(digits, "ascii"));
}
