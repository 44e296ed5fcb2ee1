import { readFile, stat } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { manifestDigestOf } from "../../../proto/pack/digest.ts";
import { maxManifestBytes, parsePackManifest } from "../../../proto/pack/pack-manifest.ts";
import type { Image } from "./image.ts";

/**
 * Holds a stored pack against what the catalogue says of it: its manifest byte for byte, and the length of the rest,
 * which nodes check chunk by chunk. Throws Failure `image-damaged` that says what is wrong, and errors of the disk.
 */
export async function checkStoredPack(image: Image, packPath: string, manifestPath: string): Promise<void> {
  const { manifestBytes, manifestDigest } = image.pack;
  const { size } = await stat(manifestPath);
  require(size === manifestBytes && size <= maxManifestBytes, "the length of its image.manifest", manifestBytes, size);
  const bytes = await readFile(manifestPath);
  const digest = manifestDigestOf(bytes);
  require(digest === manifestDigest, "the SHA-256 of its image.manifest", manifestDigest, digest);
  const manifest = parsePackManifest(bytes);
  require(manifest.imageDigest === image.digest, "the image in its image.manifest", image.digest, manifest.imageDigest);
  require(manifest.imageBytes ===
    image.sizeBytes, "the size in its image.manifest", image.sizeBytes, manifest.imageBytes);
  const stored = (await stat(packPath)).size;
  require(manifest.packBytes === stored, "the length of its image.zst", manifest.packBytes, stored);
  require(image.storedBytes === stored, "the length of its image.zst", image.storedBytes, stored);
}

function require(holds: boolean, what: string, expected: string | number, found: string | number): void {
  if (holds) return;
  throw new Failure("image-damaged", `${what} is ${found}, not ${expected}; add the image again`, {
    expected: `${expected}`,
    found: `${found}`,
  });
}
