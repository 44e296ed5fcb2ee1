import { Failure } from "../failure.ts";
import { type ChunkRun, ChunkKind as WireKind, PackManifest as WireManifest } from "../gen/pallet/v1/pack.ts";
import { blake3Bytes, type ImageDigest, imageDigestFrom, sha256Bytes } from "./digest.ts";
import { sectorBytes } from "./image-bounds.ts";
import { seekTableBytes } from "./seek-table.ts";

/** What is to be done about a chunk; see pallet.v1.ChunkKind. */
export type ChunkKind = "data" | "zero" | "unused";

/** Bytes of a chunk unless the image is too large for that. */
export const defaultChunkBytes = 64 * 1024;
/** Least and most bytes of a chunk. */
export const chunkBytesRange = { least: 4 * 1024, most: 16 * 1024 * 1024 } as const;
/** Most chunks of an image; a manifest then takes some 40 MiB. */
export const maxChunks = 2 ** 20;
/** Most bytes of a serialized manifest. */
export const maxManifestBytes = 64 * 1024 * 1024;

const manifestVersion = 1;

/** What a pack holds; see pallet.v1.PackManifest. Chunks are counted from 0. Lengths and offsets are in bytes. */
export interface PackManifest {
  readonly imageBytes: number;
  readonly imageDigest: ImageDigest;
  readonly packBytes: number;
  readonly chunkBytes: number;
  readonly chunkCount: number;
  kindOf(chunk: number): ChunkKind;
  /** Where the chunk starts in the image. */
  offsetOf(chunk: number): number;
  /** How long the chunk is: `chunkBytes`, the last one perhaps less. */
  lengthOf(chunk: number): number;
  /** Where the chunk's frame starts in the pack; for `chunkCount`, where the last frame ends. */
  frameOffsetOf(chunk: number): number;
  /** How long the chunk's frame is. */
  frameLengthOf(chunk: number): number;
  /** BLAKE3 of a chunk of kind "data"; a view that must not be changed. Throws for another kind. */
  digestOf(chunk: number): Uint8Array;
}

/** What a manifest is made from. */
export interface PackManifestContent {
  readonly imageBytes: number;
  readonly imageDigest: ImageDigest;
  readonly chunkBytes: number;
  /** For every chunk, in order. */
  readonly kinds: readonly ChunkKind[];
  /** Length of every chunk's frame, in order. */
  readonly frameBytes: readonly number[];
  /** BLAKE3 of every chunk of kind "data", in order, one after the other. */
  readonly digests: Uint8Array;
}

const wireKinds = {
  data: WireKind.CHUNK_KIND_DATA,
  zero: WireKind.CHUNK_KIND_ZERO,
  unused: WireKind.CHUNK_KIND_UNUSED,
} as const satisfies Record<ChunkKind, WireKind>;
const kinds: readonly ChunkKind[] = ["data", "zero", "unused"];

/** Chunk size for an image of this size: the default, doubled until there are not too many chunks. */
export function chooseChunkBytes(imageBytes: number): number {
  let chunkBytes = defaultChunkBytes;
  while (Math.ceil(imageBytes / chunkBytes) > maxChunks) chunkBytes *= 2;
  return chunkBytes;
}

/** The serialized pallet.v1.PackManifest. */
export function renderPackManifest(content: PackManifestContent): Buffer {
  const { imageBytes, imageDigest, chunkBytes, frameBytes, digests } = content;
  const frames = frameBytes.reduce((sum, bytes) => sum + bytes, 0);
  const runs: ChunkRun[] = [];
  for (const kind of content.kinds) {
    const last = runs.at(-1);
    if (last?.kind === wireKinds[kind]) last.count += 1;
    else runs.push({ kind: wireKinds[kind], count: 1 });
  }
  const manifest = WireManifest.create({
    version: manifestVersion,
    imageBytes: BigInt(imageBytes),
    imageDigest: Buffer.from(imageDigest, "hex"),
    packBytes: BigInt(frames + seekTableBytes(frameBytes.length)),
    chunkBytes,
    runs,
    frameBytes: [...frameBytes],
    digests: Buffer.from(digests),
  });
  return Buffer.from(WireManifest.encode(manifest).finish());
}

/**
 * Reads a serialized pallet.v1.PackManifest. Nothing in it is trusted: what is returned is consistent in itself, and
 * every range that it names is inside the image and the pack. Throws Failure `image-damaged` that says what is wrong.
 */
export function parsePackManifest(bytes: Uint8Array): PackManifest {
  const wire = decode(bytes);
  const imageBytes = toSafe(wire.imageBytes, "image_bytes");
  const packBytes = toSafe(wire.packBytes, "pack_bytes");
  const { chunkBytes } = wire;
  require(wire.version ===
    manifestVersion, `its version is ${wire.version}, but this program reads version ${manifestVersion}`);
  require(imageBytes > 0 &&
    imageBytes % sectorBytes === 0, `image_bytes is ${imageBytes}, not a multiple of ${sectorBytes}`);
  require(wire.imageDigest.length ===
    sha256Bytes, `image_digest has ${wire.imageDigest.length} bytes, not ${sha256Bytes}`);
  require(chunkBytes >= chunkBytesRange.least &&
    chunkBytes <= chunkBytesRange.most &&
    Number.isInteger(Math.log2(chunkBytes)), `chunk_bytes is ${chunkBytes}, not a power of two from 4 KiB to 16 MiB`);
  const chunkCount = Math.ceil(imageBytes / chunkBytes);
  require(chunkCount <= maxChunks, `it has ${chunkCount} chunks, more than ${maxChunks}`);
  const kindCodes = expandRuns(wire.runs, chunkCount);
  const frameOffsets = addUpFrames(wire.frameBytes, { chunkCount, chunkBytes, packBytes });
  const digestIndex = new Uint32Array(chunkCount);
  let dataChunks = 0;
  for (let chunk = 0; chunk < chunkCount; chunk += 1) {
    digestIndex[chunk] = dataChunks;
    if (kindCodes[chunk] === 0) dataChunks += 1;
  }
  // A copy: a view would keep the whole serialized manifest in memory.
  const digests = Uint8Array.from(wire.digests);
  require(digests.length ===
    dataChunks *
      blake3Bytes, `digests has ${digests.length} bytes, but ${dataChunks} data chunks need ${dataChunks * blake3Bytes}`);

  const offsetOf = (chunk: number): number => chunk * chunkBytes;
  const frameOffsetOf = (chunk: number): number => at(frameOffsets, chunk);
  return Object.freeze({
    imageBytes,
    imageDigest: imageDigestFrom(wire.imageDigest),
    packBytes,
    chunkBytes,
    chunkCount,
    kindOf: (chunk: number): ChunkKind => at(kinds, at(kindCodes, chunk)),
    offsetOf,
    lengthOf: (chunk: number): number => Math.min(chunkBytes, imageBytes - offsetOf(chunk)),
    frameOffsetOf,
    frameLengthOf: (chunk: number): number => frameOffsetOf(chunk + 1) - frameOffsetOf(chunk),
    digestOf(chunk: number): Uint8Array {
      if (kindCodes[chunk] !== 0) throw new RangeError(`chunk ${chunk} holds no data and has no digest`);
      const start = at(digestIndex, chunk) * blake3Bytes;
      return digests.subarray(start, start + blake3Bytes);
    },
  });
}

function decode(bytes: Uint8Array): WireManifest {
  require(bytes.length <= maxManifestBytes, `it has ${bytes.length} bytes, more than ${maxManifestBytes}`);
  try {
    return WireManifest.decode(bytes);
  } catch (cause) {
    throw new Failure("image-damaged", `the manifest of the pack cannot be read: ${String(cause)}`, { cause });
  }
}

function toSafe(value: bigint, name: string): number {
  require(value <= BigInt(Number.MAX_SAFE_INTEGER), `${name} is ${value}, larger than any disk`);
  return Number(value);
}

/** Index into `kinds` for every chunk. */
function expandRuns(runs: readonly ChunkRun[], chunkCount: number): Uint8Array {
  const codes = new Uint8Array(chunkCount);
  let chunk = 0;
  let before = -1;
  for (const { kind, count } of runs) {
    const code = kinds.findIndex((known) => wireKinds[known] === kind);
    require(code >= 0, `a run of chunks has the unknown kind ${kind}`);
    require(count >= 1 && code !== before, "a run of chunks is empty or of the same kind as the one before it");
    require(chunk + count <= chunkCount, `its runs cover more than the ${chunkCount} chunks of the image`);
    codes.fill(code, chunk, chunk + count);
    chunk += count;
    before = code;
  }
  require(chunk === chunkCount, `its runs cover ${chunk} of the ${chunkCount} chunks of the image`);
  return codes;
}

/** Where every frame starts, and where the last one ends. */
function addUpFrames(
  frameBytes: readonly number[],
  { chunkCount, chunkBytes, packBytes }: { chunkCount: number; chunkBytes: number; packBytes: number },
): Float64Array {
  require(frameBytes.length === chunkCount, `it has ${frameBytes.length} frames for ${chunkCount} chunks`);
  const most = maxFrameBytes(chunkBytes);
  const offsets = new Float64Array(chunkCount + 1);
  let offset = 0;
  for (const [chunk, bytes] of frameBytes.entries()) {
    require(bytes >= 1 && bytes <= most, `the frame of chunk ${chunk} has an impossible length of ${bytes} bytes`);
    offset += bytes;
    offsets[chunk + 1] = offset;
  }
  const total = offset + seekTableBytes(chunkCount);
  require(packBytes === total, `pack_bytes is ${packBytes}, but its frames and seek table add up to ${total}`);
  return offsets;
}

/** No zstd frame of a chunk is longer: ZSTD_COMPRESSBOUND of zstd.h, and room for a checksum. */
export function maxFrameBytes(chunkBytes: number): number {
  return chunkBytes + Math.floor(chunkBytes / 256) + 64 + Math.max(0, Math.floor((128 * 1024 - chunkBytes) / 2048)) + 4;
}

function at<Value>(list: { readonly [index: number]: Value; readonly length: number }, index: number): Value {
  const value = list[index];
  if (value === undefined) throw new RangeError(`${index} is not below ${list.length}`);
  return value;
}

function require(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Failure("image-damaged", `the manifest of the pack cannot be used: ${problem}`);
}
