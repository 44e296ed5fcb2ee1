import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { type BlockMap, extentOf } from "./block-map.ts";

const pieceBytes = 1 << 20;

/**
 * Compares a raw image with its block map: its length, and the content of the mapped ranges. Throws Failure
 * `image-damaged` that names the range.
 *
 * @param onChecked told how many bytes of the image are behind it, at every MiB or so
 */
export async function checkBlockMap(
  imagePath: string,
  map: BlockMap,
  onChecked: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(imagePath, "r");
  try {
    const { size } = await file.stat();
    // What fills no sector at its end is not part of the image: see writeRawFile.
    const droppedBytes = map.imageBytes % sectorBytes;
    if (size !== map.imageBytes - droppedBytes) {
      throw new Failure("image-damaged", "the block map belongs to another image: the lengths differ", {
        expected: `${map.imageBytes} bytes (ImageSize of the block map)`,
        found: `${size} bytes`,
      });
    }
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (const range of map.ranges) {
      const { start, end } = extentOf(map, range);
      if (range.checksum === undefined) continue;
      const hash = createHash(map.checksumType);
      for (let at = start; at < end; ) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(buffer, 0, Math.min(pieceBytes, end - at), at);
        if (bytesRead === 0 && at === size) {
          hash.update(Buffer.alloc(end - at));
          break;
        }
        if (bytesRead === 0) throw new Error(`the image ends at byte ${at} while it is being checked`);
        hash.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
        onChecked(at);
      }
      const found = hash.digest("hex");
      if (found === range.checksum) continue;
      throw new Failure(
        "image-damaged",
        `the image does not match its block map in blocks ${range.first} to ${range.last}: one of them is damaged, or ` +
          "the block map belongs to another image",
        { expected: `${map.checksumType} ${range.checksum}`, found },
      );
    }
  } finally {
    await file.close();
  }
}
