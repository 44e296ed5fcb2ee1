import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";

const chunkBytes = 1 << 20;
/** Measured on the demo image (340 MB): level 3 stores 48.5 MB in 0.8 s, 6 45.7 MB in 1.3 s, 9 43.8 MB in 2.6 s. */
const level = 6;

/**
 * Compresses a raw image into one zstd frame with a checksum. One frame, because Node's decoder, which the agent uses,
 * stops after the first. Takes constant memory.
 *
 * @returns number of bytes stored
 */
export async function compressImage(
  imagePath: string,
  destination: string,
  onRead: (bytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let read = 0;
  await pipeline(
    createReadStream(imagePath, { highWaterMark: chunkBytes }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        read += chunk.length;
        onRead(read);
        yield chunk;
      }
    },
    createZstdCompress({
      chunkSize: chunkBytes,
      pledgedSrcSize: (await stat(imagePath)).size,
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
    createWriteStream(destination, { flags: "wx", flush: true }),
    { signal },
  );
  return (await stat(destination)).size;
}
