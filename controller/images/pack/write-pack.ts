import { type FileHandle, open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Failure } from "../../../proto/failure.ts";
import { blake3 } from "../../../proto/pack/blake3.ts";
import { type ImageDigest, manifestDigestOf } from "../../../proto/pack/digest.ts";
import { isZero } from "../../../proto/pack/is-zero.ts";
import {
  type ChunkKind,
  chooseChunkBytes,
  maxFrameBytes,
  renderPackManifest,
} from "../../../proto/pack/pack-manifest.ts";
import { renderSeekTable } from "../../../proto/pack/seek-table.ts";
import { createFrameCompressors } from "../../../proto/pack/zstd-frames.ts";
import type { Pack } from "../catalogue/image.ts";
import type { RawBlocks } from "../formats/raw-blocks.ts";

/** What to pack, and where. */
export interface PackRequest {
  /** The raw image; its length is a multiple of 512. */
  readonly imagePath: string;
  /** Its SHA-256, and what is known of its blocks, from when it was written there. */
  readonly imageDigest: ImageDigest;
  readonly blocks: RawBlocks;
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

/** The result. */
export interface WrittenPack {
  readonly imageBytes: number;
  /** Bytes of the pack. */
  readonly storedBytes: number;
  readonly pack: Pack;
}

/**
 * Measured with Node 24.21 on 512 MiB of a Debian tree in frames of 64 KiB: level 3 stores 44.4 % for 3.7 CPU-s/GiB,
 * 6 42.9 % for 10, 9 42.6 % for 15, 12 42.5 % for 44. An image is packed once, and every node fetches it.
 */
const level = 6;
/** libuv's thread pool has four threads unless UV_THREADPOOL_SIZE says otherwise. */
const mostCompressors = 4;

/** About how much is read, compressed and written at a time. */
const groupBytes = 1 << 20;
/** How many groups are compressed while another is read or written. */
const groupsInFlight = 3;

/** Chunks that are read and written together. */
interface Group {
  readonly memory: GroupMemory;
  readonly chunks: readonly Chunk[];
  readonly frames: Promise<readonly Buffer[]>;
}

/** Memory of a group, used again and again: left to the collector, it would have V8 go over all of its heap for it. */
interface GroupMemory {
  readonly image: Buffer;
  /** Room for the longest frame of each chunk. */
  readonly frames: Buffer;
}

/** A chunk in progress. */
interface Chunk {
  readonly kind: ChunkKind;
  readonly lengthBytes: number;
  readonly frame: Promise<Buffer>;
  readonly digest?: Buffer;
}

/**
 * Packs an image: writes pallet.v1.PackManifest and what it describes, both flushed to the disk. Memory: some groups of
 * chunks, and what the manifest takes. Throws the signal's reason, errors of the disk, and Failure `device-error` when
 * the image has other bytes than were written to it.
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
  const compressors = createFrameCompressors(Math.min(availableParallelism(), mostCompressors), level);
  const chunksPerGroup = Math.max(1, groupBytes / chunkBytes);
  const zeros = Buffer.alloc(chunksPerGroup * chunkBytes);
  const sums: Record<ChunkKind, number> = { data: 0, zero: 0, unused: 0 };
  const kinds: ChunkKind[] = [];
  const frameBytes: number[] = [];
  const digests: Buffer[] = [];
  let fetchBytes = 0;
  let packed = 0;
  let zeroFrame: Promise<Buffer> | undefined;
  const idle: GroupMemory[] = [];

  const compress = async (bytes: Buffer, target: Buffer): Promise<Buffer> =>
    target.subarray(0, await compressors.compress(bytes, target));
  const take = (bytes: Buffer, offset: number, target: Buffer): Chunk => {
    const kind = kindOf(offset, bytes);
    const about = { kind, lengthBytes: bytes.length };
    if (kind === "data") return { ...about, frame: compress(bytes, target), digest: blake3(bytes) };
    if (bytes.length < chunkBytes || !isZero(bytes)) return { ...about, frame: compress(bytes, target) };
    // Most of what is not data is the same chunk of zeros over and over.
    zeroFrame ??= compress(Buffer.alloc(chunkBytes), Buffer.allocUnsafeSlow(maxFrameBytes(chunkBytes)));
    return { ...about, frame: zeroFrame };
  };
  const put = async ({ memory, chunks, frames }: Group): Promise<void> => {
    const ready = await frames;
    for (const [index, { kind, lengthBytes, digest }] of chunks.entries()) {
      const { length } = ready[index] ?? Buffer.alloc(0);
      kinds.push(kind);
      frameBytes.push(length);
      sums[kind] += lengthBytes;
      packed += lengthBytes;
      if (digest === undefined) continue;
      digests.push(digest);
      fetchBytes += length;
    }
    await append(target, ready);
    idle.push(memory);
    onPacked?.(packed);
  };

  try {
    const pending: Group[] = [];
    for (let offset = 0; offset < imageBytes; ) {
      signal?.throwIfAborted();
      const memory = idle.pop() ?? {
        image: Buffer.allocUnsafeSlow(chunksPerGroup * chunkBytes),
        frames: Buffer.allocUnsafeSlow(chunksPerGroup * maxFrameBytes(chunkBytes)),
      };
      const end = Math.min(offset + memory.image.length, imageBytes);
      const group = request.blocks.isZero(offset, end)
        ? zeros.subarray(0, end - offset)
        : await readUnchanged(request, image, offset, memory.image.subarray(0, end - offset));
      const chunks: Chunk[] = [];
      for (let start = 0; start < group.length; start += chunkBytes) {
        const room = chunks.length * maxFrameBytes(chunkBytes);
        const target = memory.frames.subarray(room, room + maxFrameBytes(chunkBytes));
        chunks.push(take(group.subarray(start, start + chunkBytes), offset + start, target));
      }
      const frames = Promise.all(chunks.map(({ frame }) => frame));
      // It is waited for in its turn, perhaps never when another one fails first.
      frames.catch(() => {});
      pending.push({ memory, chunks, frames });
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
  const { imageDigest } = request;
  const manifest = renderPackManifest({
    imageBytes,
    imageDigest,
    chunkBytes,
    kinds,
    frameBytes,
    digests: Buffer.concat(digests),
  });
  const pack: Pack = {
    manifestDigest: manifestDigestOf(manifest),
    manifestBytes: manifest.length,
    chunkBytes,
    dataBytes: sums.data,
    zeroBytes: sums.zero,
    unusedBytes: sums.unused,
    fetchBytes,
  };
  const storedBytes = frameBytes.reduce((sum, bytes) => sum + bytes, seekTable.length);
  return { manifest, result: { imageBytes, storedBytes, pack } };
}

function zeroOrData(_offsetBytes: number, bytes: Uint8Array): ChunkKind {
  return isZero(bytes) ? "zero" : "data";
}

/** Fills the buffer with what was once written there, and returns it. */
async function readUnchanged(
  { imagePath, blocks }: Pick<PackRequest, "imagePath" | "blocks">,
  image: FileHandle,
  offset: number,
  bytes: Buffer,
): Promise<Buffer> {
  await readFully(image, offset, bytes);
  const changed = blocks.firstChanged(offset, bytes);
  if (changed === undefined) return bytes;
  throw new Failure("device-error", `the disk with ${imagePath} returned other bytes than were written to it`, {
    found: `a changed block at byte ${changed} of the image`,
  });
}

/** Fills the buffer and returns it. */
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
  let rest = [...parts];
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest);
    rest = rest.flatMap((part) => {
      const taken = Math.min(bytesWritten, part.length);
      bytesWritten -= taken;
      return taken < part.length ? [part.subarray(taken)] : [];
    });
  }
}
