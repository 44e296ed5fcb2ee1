import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { blake3 } from "../../../proto/pack/blake3.ts";
import { isZero } from "../../../proto/pack/is-zero.ts";
import {
  type ChunkKind,
  chooseChunkBytes,
  maxFrameBytes,
  renderPackManifest,
} from "../../../proto/pack/pack-manifest.ts";
import { renderSeekTable } from "../../../proto/pack/seek-table.ts";
import type { Digest } from "../../nodes/node.ts";
import type { Pack } from "../image.ts";
import { createFrameCompressors } from "./frame-compressors.ts";

/** What to pack, and where to. */
export interface PackRequest {
  /** The raw image; its length is a multiple of 512. */
  readonly imagePath: string;
  /** Files that are made; they must not exist. */
  readonly packPath: string;
  readonly manifestPath: string;
  /** What a chunk is for; by default data where it is not all zeros. Asked once for each, in ascending order. */
  readonly kindOf?: (offsetBytes: number, bytes: Uint8Array) => ChunkKind;
  /** Bytes of a chunk, a power of two; by default as large as the image needs. */
  readonly chunkBytes?: number;
  /** Called with the number of image bytes that are packed, at every MiB or so. */
  readonly onPacked?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** What was made. */
export interface WrittenPack {
  /** Of the whole image, as it was read here. */
  readonly imageDigest: Digest;
  readonly imageBytes: number;
  /** Bytes of the pack. */
  readonly storedBytes: number;
  readonly pack: Pack;
}

/** About how much is read, compressed and written at a time. */
const groupBytes = 1 << 20;
/** So many groups are being compressed while another is read or written. */
const groupsInFlight = 3;

/** Chunks that are read and written together. */
interface Group {
  readonly buffer: Buffer;
  readonly chunks: readonly Chunk[];
  readonly frames: Promise<readonly Buffer[]>;
}

/** A chunk on its way. */
interface Chunk {
  readonly kind: ChunkKind;
  readonly lengthBytes: number;
  readonly frame: Promise<Buffer>;
  readonly digest?: Buffer;
}

/**
 * Packs an image: writes pallet.v1.PackManifest and what it describes, both flushed to the disk. Memory: some groups of
 * chunks, and what the manifest takes. Throws the signal's reason, and errors of the disk.
 */
export async function writePack(request: PackRequest): Promise<WrittenPack> {
  const image = await open(request.imagePath, "r");
  try {
    const target = await open(request.packPath, "wx");
    try {
      const written = await packInto(request, image, target);
      await target.sync();
      const manifest = await open(request.manifestPath, "wx");
      try {
        await manifest.writeFile(written.manifest);
        await manifest.sync();
      } finally {
        await manifest.close();
      }
      return written.result;
    } finally {
      await target.close();
    }
  } finally {
    await image.close();
  }
}

async function packInto(
  { kindOf = zeroOrData, onPacked, signal, ...request }: PackRequest,
  image: FileHandle,
  target: FileHandle,
): Promise<{ readonly manifest: Buffer; readonly result: WrittenPack }> {
  const imageBytes = (await image.stat()).size;
  const chunkBytes = request.chunkBytes ?? chooseChunkBytes(imageBytes);
  const compressors = createFrameCompressors(chunkBytes);
  const hash = createHash("sha256");
  const sums: Record<ChunkKind, number> = { data: 0, zero: 0, unused: 0 };
  const kinds: ChunkKind[] = [];
  const frameBytes: number[] = [];
  const digests: Buffer[] = [];
  let fetchBytes = 0;
  let packed = 0;
  let zeroFrame: Promise<Buffer> | undefined;
  const idle: Buffer[] = [];

  const take = (bytes: Buffer, offset: number): Chunk => {
    const kind = kindOf(offset, bytes);
    const about = { kind, lengthBytes: bytes.length };
    if (kind === "data") return { ...about, frame: compressors.compress(bytes), digest: blake3(bytes) };
    if (bytes.length < chunkBytes || !isZero(bytes)) return { ...about, frame: compressors.compress(bytes) };
    // Most of what is not data is the same chunk of zeros over and over.
    zeroFrame ??= compressors.compress(bytes);
    return { ...about, frame: zeroFrame };
  };
  const put = async ({ buffer, chunks, frames }: Group): Promise<void> => {
    const ready = await frames;
    idle.push(buffer);
    for (const [index, { kind, lengthBytes, digest }] of chunks.entries()) {
      const { length } = ready[index] ?? Buffer.alloc(0);
      if (length > maxFrameBytes(lengthBytes))
        throw new Error(`a frame of ${length} bytes is longer than zstd's can be`);
      kinds.push(kind);
      frameBytes.push(length);
      sums[kind] += lengthBytes;
      packed += lengthBytes;
      if (digest === undefined) continue;
      digests.push(digest);
      fetchBytes += length;
    }
    await append(target, ready);
    onPacked?.(packed);
  };

  try {
    const pending: Group[] = [];
    for (let offset = 0; offset < imageBytes; ) {
      signal?.throwIfAborted();
      const buffer = idle.pop() ?? Buffer.allocUnsafeSlow(Math.max(groupBytes, chunkBytes));
      const group = await readFully(image, offset, buffer.subarray(0, imageBytes - offset));
      hash.update(group);
      const chunks: Chunk[] = [];
      for (let start = 0; start < group.length; start += chunkBytes) {
        chunks.push(take(group.subarray(start, start + chunkBytes), offset + start));
      }
      const frames = Promise.all(chunks.map(({ frame }) => frame));
      // It is waited for in its turn, perhaps never when another one fails first.
      frames.catch(() => {});
      pending.push({ buffer, chunks, frames });
      offset += group.length;
      const oldest = pending.length > groupsInFlight ? pending.shift() : undefined;
      if (oldest !== undefined) await put(oldest);
    }
    for (const group of pending) {
      signal?.throwIfAborted();
      await put(group);
    }
  } finally {
    compressors.close();
  }

  const decompressed = (chunk: number) => Math.min(chunkBytes, imageBytes - chunk * chunkBytes);
  const seekTable = renderSeekTable(
    frameBytes.map((compressedBytes, chunk) => ({ compressedBytes, decompressedBytes: decompressed(chunk) })),
  );
  await append(target, [seekTable]);
  const imageDigest = hash.digest("hex") as Digest;
  const manifest = renderPackManifest({
    imageBytes,
    imageDigest,
    chunkBytes,
    kinds,
    frameBytes,
    digests: Buffer.concat(digests),
  });
  const pack: Pack = {
    manifestDigest: createHash("sha256").update(manifest).digest("hex") as Digest,
    manifestBytes: manifest.length,
    chunkBytes,
    dataBytes: sums.data,
    zeroBytes: sums.zero,
    unusedBytes: sums.unused,
    fetchBytes,
  };
  const storedBytes = frameBytes.reduce((sum, bytes) => sum + bytes, seekTable.length);
  return { manifest, result: { imageDigest, imageBytes, storedBytes, pack } };
}

function zeroOrData(_offsetBytes: number, bytes: Uint8Array): ChunkKind {
  return isZero(bytes) ? "zero" : "data";
}

/** Fills the buffer, and gives it back. */
async function readFully(file: FileHandle, offset: number, bytes: Buffer): Promise<Buffer> {
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, offset + read);
    if (bytesRead === 0) throw new Error(`the image ends at byte ${offset + read} while it is being packed`);
    read += bytesRead;
  }
  return bytes;
}

/** Writes at the end of what was written so far, all of it. */
async function append(file: FileHandle, parts: readonly Buffer[]): Promise<void> {
  const bytes = Buffer.concat(parts);
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
