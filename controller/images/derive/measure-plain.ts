import { open } from "node:fs/promises";
import { blake3 } from "../../../proto/pack/blake3.ts";
import type { PackManifest } from "../../../proto/pack/pack-manifest.ts";
import type { Partition } from "../catalogue/image.ts";
import { mapImage } from "../map/map-image.ts";
import { createChunkClassifier } from "../map/unused-map.ts";
import { isOnCard } from "./compare-packs.ts";

/**
 * Bytes that a card which holds the old image would have to write to become another image as it is, without deriving.
 * The other image is a raw file.
 */
export async function measurePlain(
  imagePath: string,
  partitions: readonly Partition[],
  old: PackManifest,
  signal: AbortSignal,
): Promise<number> {
  const { chunkBytes } = old;
  const file = await open(imagePath, "r");
  try {
    const imageBytes = (await file.stat()).size;
    const unused = await mapImage({
      imagePath,
      imageBytes,
      partitions,
      chunkBytes,
      onAllUsed: () => undefined,
      signal,
    });
    const kindOf = createChunkClassifier(unused);
    const bytes = Buffer.alloc(chunkBytes);
    let writeBytes = 0;
    for (let chunk = 0; chunk * chunkBytes < imageBytes; chunk++) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(bytes, 0, chunkBytes, chunk * chunkBytes);
      const content = bytes.subarray(0, bytesRead);
      const kind = kindOf(chunk * chunkBytes, content);
      if (!isOnCard(old, { chunk, kind, lengthBytes: bytesRead, digest: () => blake3(content) }))
        writeBytes += bytesRead;
    }
    return writeBytes;
  } finally {
    await file.close();
  }
}
