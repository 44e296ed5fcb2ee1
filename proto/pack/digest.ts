import { hash } from "node:crypto";

/**
 * SHA-256 of an uncompressed image, in lower-case hexadecimal: says which image a boot target, a stamp or a proof
 * means. Not interchangeable with a ManifestDigest: the same image may be packed in several ways.
 */
export type ImageDigest = string & { readonly __brand: "ImageDigest" };

/**
 * SHA-256 of a serialized pallet.v1.PackManifest, in lower-case hexadecimal: says which pack to fetch, and that its
 * manifest is the one that the controller means.
 */
export type ManifestDigest = string & { readonly __brand: "ManifestDigest" };

/** Bytes of a SHA-256 digest (FIPS 180-4). */
export const sha256Bytes = 32;

/** Bytes of a BLAKE3 digest in its default mode, as a manifest has one of each chunk of data. */
export const blake3Bytes = 32;

/** The expected form, for messages: "… is not ${digestForm}". */
export const digestForm = "a lower-case hexadecimal SHA-256";

const pattern = new RegExp(`^[0-9a-f]{${2 * sha256Bytes}}$`);

/** Whether the text is a SHA-256 as `digestForm` says. */
export function isSha256(text: string): boolean {
  return pattern.test(text);
}

/** The text as the digest of an image; undefined when it cannot be one. */
export function parseImageDigest(text: string): ImageDigest | undefined {
  return isSha256(text) ? (text as ImageDigest) : undefined;
}

/** The text as the digest of a manifest; undefined when it cannot be one. */
export function parseManifestDigest(text: string): ManifestDigest | undefined {
  return isSha256(text) ? (text as ManifestDigest) : undefined;
}

/** The digest of an image from the bytes of its SHA-256. Throws RangeError unless there are 32. */
export function imageDigestFrom(sha256: Uint8Array): ImageDigest {
  if (sha256.length !== sha256Bytes) throw new RangeError(`a SHA-256 has ${sha256Bytes} bytes, not ${sha256.length}`);
  return Buffer.from(sha256).toString("hex") as ImageDigest;
}

/** The digest of a serialized manifest. */
export function manifestDigestOf(manifest: Uint8Array): ManifestDigest {
  return hash("sha256", manifest) as ManifestDigest;
}

/** A digest's prefix, enough to recognise it in messages. */
export function shortDigest(digest: ImageDigest | ManifestDigest): string {
  return digest.slice(0, 12);
}
