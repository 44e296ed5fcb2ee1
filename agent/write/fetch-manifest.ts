import { Failure } from "../../proto/failure.ts";
import type { ImageSource } from "../../proto/operation/operation-spec.ts";
import { manifestDigestOf } from "../../proto/pack/digest.ts";
import { type PackManifest, parsePackManifest } from "../../proto/pack/pack-manifest.ts";
import { createRangeFetcher, type FetchSettings } from "../fetch/fetch-range.ts";

/**
 * Fetches the manifest of an image's pack and makes sure that it is the one that was meant, by its SHA-256, and that it
 * is of the image that was meant. Throws a Failure "image-damaged" that says what is wrong, "fetch-failed", or the
 * signal's reason.
 */
export async function fetchManifest(
  source: ImageSource,
  settings: FetchSettings,
  signal: AbortSignal,
): Promise<PackManifest> {
  const { url, digest, manifestBytes } = source.manifest;
  const fetcher = createRangeFetcher({ url, totalBytes: manifestBytes, settings });
  const bytes = Buffer.allocUnsafe(manifestBytes);
  try {
    await fetcher.fetchInto(bytes, 0, signal);
  } finally {
    fetcher.close();
  }
  const found = manifestDigestOf(bytes);
  if (found !== digest) {
    throw new Failure("image-damaged", `${url} is not the manifest of the image: its SHA-256 differs`, {
      expected: digest,
      found,
    });
  }
  const manifest = parsePackManifest(bytes);
  for (const [what, expected, is] of [
    ["size of the image", source.sizeBytes, manifest.imageBytes],
    ["SHA-256 of the image", source.digest, manifest.imageDigest],
    ["size of the pack", source.storedBytes, manifest.packBytes],
  ] as const) {
    if (is === expected) continue;
    throw new Failure("image-damaged", `${url} is the manifest of another image: the ${what} differs`, {
      expected: String(expected),
      found: String(is),
    });
  }
  for (let chunk = 0; manifest.offsetOf(chunk) < source.firstPartitionBytes; chunk += 1) {
    if (manifest.kindOf(chunk) !== "unused") continue;
    throw new Failure(
      "image-damaged",
      `the manifest at ${url} leaves out chunk ${chunk}, which is before the first partition`,
    );
  }
  return manifest;
}
