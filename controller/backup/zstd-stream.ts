import { Readable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { Failure } from "../../proto/failure.ts";

const pieceBytes = 256 * 1024;

/** One zstd frame with a checksum, as `zstd` and `tar --zstd` read it. Taken no faster than it is read. */
export function compress(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants;
  const encoder = createZstdCompress({
    chunkSize: pieceBytes,
    // Images are compressed already; what is not is small.
    params: { [ZSTD_c_compressionLevel]: 3, [ZSTD_c_checksumFlag]: 1 },
  });
  const source = Readable.from(bytes, { objectMode: false, highWaterMark: pieceBytes });
  source.once("error", (error) => encoder.destroy(error));
  encoder.once("close", () => source.destroy());
  return source.pipe(encoder);
}

/** The content of zstd frames. Throws a Failure (invalid) for what is none, or is damaged; what is missing is for the reader. */
export async function* decompress(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = createZstdDecompress({ chunkSize: pieceBytes });
  const source = Readable.from(bytes, { objectMode: false, highWaterMark: pieceBytes });
  let sourceError: unknown;
  source.once("error", (error) => {
    sourceError = error;
    decoder.destroy(error);
  });
  decoder.once("close", () => source.destroy());
  try {
    for await (const piece of source.pipe(decoder)) yield piece as Uint8Array;
  } catch (error) {
    if (error === sourceError) throw error;
    throw new Failure("invalid", `it is no zstd file, cut off, or damaged (${(error as Error).message})`, {
      cause: error,
    });
  }
}
