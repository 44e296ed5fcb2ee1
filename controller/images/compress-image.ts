import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";

const chunkBytes = 1 << 20;
/** Measured with Node 24.21 on the demo image (340 MB): level 3 stores 48.5 MB in 1.0 CPU-s, 6 45.5 in 1.8, 9 43.7 in 2.7. */
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
