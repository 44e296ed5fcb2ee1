import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { limits } from "../limits.ts";
import { der, derBits, derInteger, derObjectId, derSequence, derTags, readDer } from "./der.ts";

/** AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758, 3.2): the one signature that is made and taken. */
export const ecdsaWithSha256 = derSequence(derObjectId("1.2.840.10045.4.3.2"));

/** How the SubjectPublicKeyInfo of every uncompressed P-256 key starts (RFC 5480); 65 octets of the point follow. */
const p256Start = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const p256Octets = p256Start.length + 65;
const mostOctets = limits.enrolment.requestBytes.most;

/** Makes a private key on the curve P-256. */
export function createKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** The public half of a key as SubjectPublicKeyInfo (DER). */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: "spki", format: "der" });
}

/**
 * A request for a certificate (PKCS #10, RFC 2986; DER) that proves possession of the key. It names nobody: the
 * controller decides whom a certificate names.
 */
export function createRequest(privateKey: KeyObject): Uint8Array {
  const info = derSequence(derInteger(Uint8Array.of(0)), derSequence(), publicKeyOf(privateKey), der(0xa0));
  return derSequence(info, ecdsaWithSha256, derBits(sign("sha256", info, privateKey)));
}

/**
 * The public key (SubjectPublicKeyInfo, DER) that a request is about, when it is one for a P-256 key and its signature
 * proves possession of it; otherwise why not, for a sentence. Names and attributes that it asks for are ignored.
 */
export function parseRequest(request: Uint8Array): { readonly publicKey: Uint8Array } | { readonly problem: string } {
  if (request.length > mostOctets) return { problem: `it is longer than ${mostOctets} bytes` };
  const malformed = { problem: "it is not a certificate request (PKCS #10, DER)" };
  const [outer, ...beyond] = readDer(request) ?? [];
  if (outer?.tag !== derTags.sequence || beyond.length > 0) return malformed;
  const [info, algorithm, signature, ...extra] = readDer(outer.content) ?? [];
  if (info?.tag !== derTags.sequence || algorithm === undefined || extra.length > 0) return malformed;
  if (signature?.tag !== derTags.bitString || signature.content[0] !== 0) return malformed;
  const [version, subject, key] = readDer(info.content) ?? [];
  if (version?.tag !== derTags.integer || subject?.tag !== derTags.sequence || key === undefined) return malformed;
  if (!isP256(key.whole)) return { problem: "its key is not one on the curve P-256" };
  if (!Buffer.from(algorithm.whole).equals(ecdsaWithSha256)) {
    return { problem: "it is not signed with ECDSA and SHA-256" };
  }
  if (!isSignedBy(key.whole, info.whole, signature.content.subarray(1))) {
    return { problem: "its signature is not that of its key" };
  }
  return { publicKey: key.whole };
}

function isP256(key: Uint8Array): boolean {
  return key.length === p256Octets && Buffer.from(key.subarray(0, p256Start.length)).equals(p256Start);
}

function isSignedBy(key: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify("sha256", text, createPublicKey({ key: Buffer.from(key), type: "spki", format: "der" }), signature);
  } catch {
    // A point that is not on the curve.
    return false;
  }
}
