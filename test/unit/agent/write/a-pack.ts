import { hash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import type { ImageSource } from "../../../../proto/operation/operation-spec.ts";
import { blake3 } from "../../../../proto/pack/blake3.ts";
import { type ImageDigest, manifestDigestOf } from "../../../../proto/pack/digest.ts";
import { type ChunkKind, renderPackManifest } from "../../../../proto/pack/pack-manifest.ts";
import { renderSeekTable } from "../../../../proto/pack/seek-table.ts";

/** An image and its pack, in memory. */
export interface APack {
  readonly image: Buffer;
  readonly chunkBytes: number;
  readonly kinds: readonly ChunkKind[];
  /** Where each frame starts, and where the last one ends. */
  readonly frameOffsets: readonly number[];
  readonly pack: Buffer;
  readonly manifest: Buffer;
  /** The image bytes that have to be on a disk. */
  readonly usedBytes: number;
  sourceAt(server: { readonly url: string; readonly manifestUrl: string }): ImageSource;
}

const mebibyte = 1024 * 1024;

/** Packs an image; chunks of zeros are of the kind "zero", the others "data", unless `kindOf` says something else. */
export function aPack(
  image: Buffer,
  options: {
    readonly chunkBytes?: number;
    readonly kindOf?: (chunk: number, found: ChunkKind) => ChunkKind;
    readonly firstPartitionBytes?: number;
  } = {},
): APack {
  const { chunkBytes = 64 * 1024, kindOf, firstPartitionBytes = mebibyte } = options;
  const kinds: ChunkKind[] = [];
  const frames: Buffer[] = [];
  const digests: Buffer[] = [];
  const frameOffsets = [0];
  let usedBytes = 0;
  const chunks: Buffer[] = [];
  for (let at = 0; at < image.length; at += chunkBytes) chunks.push(image.subarray(at, at + chunkBytes));
  for (const [index, chunk] of chunks.entries()) {
    const found = chunk.equals(Buffer.alloc(chunk.length)) ? "zero" : "data";
    const kind = kindOf?.(index, found) ?? found;
    const frame = zstdCompressSync(chunk, { pledgedSrcSize: chunk.length });
    kinds.push(kind);
    frames.push(frame);
    frameOffsets.push((frameOffsets.at(-1) ?? 0) + frame.length);
    if (kind === "data") digests.push(blake3(chunk));
    if (kind !== "unused") usedBytes += chunk.length;
  }
  const table = renderSeekTable(
    frames.map((frame, index) => ({
      compressedBytes: frame.length,
      decompressedBytes: chunks[index]?.length ?? 0,
    })),
  );
  const pack = Buffer.concat([...frames, table]);
  const imageDigest = hash("sha256", image) as ImageDigest;
  const manifest = renderPackManifest({
    imageBytes: image.length,
    imageDigest,
    chunkBytes,
    kinds,
    frameBytes: frames.map(({ length }) => length),
    digests: Buffer.concat(digests),
  });
  return {
    image,
    chunkBytes,
    kinds,
    frameOffsets,
    pack,
    manifest,
    usedBytes,
    sourceAt: ({ url, manifestUrl }) => ({
      url,
      storedBytes: pack.length,
      sizeBytes: image.length,
      digest: imageDigest,
      firstPartitionBytes,
      manifest: {
        url: manifestUrl,
        digest: manifestDigestOf(manifest),
        manifestBytes: manifest.length,
      },
    }),
  };
}
