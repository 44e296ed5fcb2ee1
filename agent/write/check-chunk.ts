import { Failure } from "../../proto/failure.ts";
import { blake3 } from "../../proto/pack/blake3.ts";
import { isZero } from "../../proto/pack/is-zero.ts";
import type { PackManifest } from "../../proto/pack/pack-manifest.ts";

/**
 * Compares bytes with what the manifest says of a chunk that holds data or must be zero. Undefined when they are as
 * they should be, their BLAKE3 when not.
 */
export function checkChunk(manifest: PackManifest, chunk: number, bytes: Uint8Array): Buffer | undefined {
  if (manifest.kindOf(chunk) === "zero") return isZero(bytes) ? undefined : blake3(bytes);
  const found = blake3(bytes);
  return found.equals(manifest.digestOf(chunk)) ? undefined : found;
}

/** How messages name a chunk's expected content: by its BLAKE3. */
export function expectedOf(manifest: PackManifest, chunk: number): string {
  return named(
    manifest.kindOf(chunk) === "zero" ? blake3(Buffer.alloc(manifest.lengthOf(chunk))) : manifest.digestOf(chunk),
  );
}

/** Says that a disk does not hold what it should, naming one chunk. */
export function mismatch(
  { device, manifest, message }: { readonly device: string; readonly manifest: PackManifest; readonly message: string },
  { chunk, found }: { readonly chunk: number; readonly found: Uint8Array },
): Failure {
  return new Failure("verify-mismatch", message, {
    range: { device, offsetBytes: manifest.offsetOf(chunk), lengthBytes: manifest.lengthOf(chunk) },
    expected: expectedOf(manifest, chunk),
    found: named(found),
  });
}

/** A digest as messages show it. */
export function named(digest: Uint8Array): string {
  return `blake3:${Buffer.from(digest).toString("hex")}`;
}
