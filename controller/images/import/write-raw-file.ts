import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { type ImageDigest, imageDigestFrom } from "../../../proto/pack/digest.ts";
import { maxImageBytes, sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { isZero } from "../../../proto/pack/is-zero.ts";
import { createRawBlocks, type RawBlocks, type RawBlocksBuilder } from "../formats/raw-blocks.ts";

const blockBytes = 64 * 1024;
const zeros = Buffer.alloc(blockBytes);

/** A raw image in a file. */
export interface RawImage {
  readonly sizeBytes: number;
  /** SHA-256 of all of it. */
  readonly digest: ImageDigest;
  readonly blocks: RawBlocks;
}

/**
 * Writes bytes to a new file, leaving holes where they are zero, and hashes them on the way. A disk ends at a sector
 * boundary: up to 511 bytes of zeros behind the last one are padding, and dropped; throws Failure `image-damaged` for
 * anything else there. A piece may be used again by who made it when the next is asked for.
 */
export async function writeRawFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<RawImage> {
  const hash = createHash("sha256");
  const blocks = createRawBlocks();
  const file = await open(path, "wx");
  let at = 0;
  /** What has come of the next sector. */
  let begun: Buffer = Buffer.alloc(0);
  const write = async (whole: Uint8Array): Promise<void> => {
    hash.update(whole);
    await writeSparsely(file, whole, at, blocks);
    at += whole.length;
  };
  try {
    for await (const chunk of bytes) {
      if (at + chunk.length > maxImageBytes)
        throw new Failure("unsupported", `the image is larger than ${maxImageBytes} bytes`);
      const missing = begun.length === 0 ? 0 : Math.min(sectorBytes - begun.length, chunk.length);
      begun = Buffer.concat([begun, chunk.subarray(0, missing)]);
      if (begun.length === sectorBytes) {
        await write(begun);
        begun = Buffer.alloc(0);
      }
      if (missing === chunk.length) continue;
      const end = chunk.length - ((chunk.length - missing) % sectorBytes);
      if (end > missing) await write(chunk.subarray(missing, end));
      // A copy: the source may use its memory again.
      if (end < chunk.length) begun = Buffer.from(chunk.subarray(end));
    }
    if (at === 0 || !isZero(begun)) {
      throw new Failure("image-damaged", "the image does not end at a sector boundary; it was probably cut short", {
        expected: `a multiple of ${sectorBytes} bytes, and nothing but zeros behind it`,
        found: `${at + begun.length} bytes`,
      });
    }
    await file.truncate(at);
  } finally {
    await file.close();
  }
  return { sizeBytes: at, digest: imageDigestFrom(hash.digest()), blocks };
}

/** Writes the parts of a chunk that are not zero; a part is what is in one block of the file. */
async function writeSparsely(
  file: FileHandle,
  chunk: Uint8Array,
  offset: number,
  blocks: Pick<RawBlocksBuilder, "add">,
): Promise<void> {
  let pending: { start: number; end: number } | undefined;
  const flush = async () => {
    if (pending !== undefined)
      await writeFully(file, chunk.subarray(pending.start, pending.end), offset + pending.start);
    pending = undefined;
  };
  for (let start = 0; start < chunk.length; ) {
    const end = Math.min(chunk.length, start + blockBytes - ((offset + start) % blockBytes));
    const part = chunk.subarray(start, end);
    const areZero = Buffer.compare(part, zeros.subarray(0, part.length)) === 0;
    blocks.add(part, areZero);
    if (areZero) await flush();
    else pending = { start: pending?.start ?? start, end };
    start = end;
  }
  await flush();
}

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
