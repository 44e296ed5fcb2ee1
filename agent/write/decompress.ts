import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { Failure } from "../../proto/failure.ts";
import type { ImageSource } from "../operations/operation.ts";
import { splitFrames } from "./zstd-frames.ts";

/** Node's default of 16 KiB makes decompression more than half as dear again (measured). */
const OUTPUT_CHUNK_BYTES = 1 << 20;

/**
 * The decompressed bytes. Any number of zstd frames, skippable ones among them; a stream that is truncated, altered
 * or followed by something else throws a Failure "image-damaged". Errors of the source pass unchanged.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: ImageSource["compression"],
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === "none") {
    yield* source;
    return;
  }
  const decompressor = createZstdDecompress({ chunkSize: OUTPUT_CHUNK_BYTES });
  const pumping = pipeline(splitFrames(source), decompressor);
  // The same error comes out of the decompressor, where it is handled.
  pumping.catch(() => undefined);
  try {
    for await (const chunk of decompressor) yield chunk as Buffer;
    await pumping;
  } catch (error) {
    throw isOwnError(error)
      ? new Failure("image-damaged", `the fetched image is damaged: ${error.message}`, { cause: error })
      : error;
  } finally {
    decompressor.destroy();
  }
}

function isOwnError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^(ZSTD_|Z_)/.test(String(error.code));
}
