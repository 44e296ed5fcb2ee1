import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { imageDigestFrom } from "../../../proto/pack/digest.ts";
import { isZero } from "../../../proto/pack/is-zero.ts";
import { createRawBlocks, rawBlockBytes } from "../formats/raw-blocks.ts";
import type { RawImage } from "./write-raw-file.ts";

/**
 * What writeRawFile knows of what it wrote, of a raw file that was not written from its beginning to its end. Throws the
 * signal's reason, and errors of the disk.
 *
 * @param onNoted called with the number of bytes that were read, at every MiB
 */
export async function noteRawFile(
  path: string,
  onNoted: (bytes: number) => void,
  signal: AbortSignal,
): Promise<RawImage> {
  const hash = createHash("sha256");
  const blocks = createRawBlocks();
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(rawBlockBytes);
    for (let at = 0; at < size; ) {
      signal.throwIfAborted();
      // Within a block, as RawBlocks takes them, though a read may bring less.
      const room = Math.min(rawBlockBytes - (at % rawBlockBytes), size - at);
      const { bytesRead } = await file.read(buffer, 0, room, at);
      if (bytesRead === 0) throw new Error(`the image ends at byte ${at} while it is being hashed`);
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      blocks.add(bytes, isZero(bytes));
      at += bytesRead;
      onNoted(at);
    }
    return { sizeBytes: size, digest: imageDigestFrom(hash.digest()), blocks };
  } finally {
    await file.close();
  }
}
