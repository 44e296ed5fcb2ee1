import { type Readable, Readable as ReadableStream } from "node:stream";
import { createGunzip } from "node:zlib";
import { Failure } from "../../../proto/failure.ts";
import { debianPackage } from "../../../proto/linux/debian-package.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import type { ImageFormat } from "./detect-format.ts";
import { damagedFile, judgeDecompressor } from "./judge-decompressor.ts";
import { unzip } from "./unzip.ts";

/**
 * Programs rather than node:zlib: Node has no xz, and its zstd decoder ends silently after the first frame (24.21), so
 * that a file of several frames, or one with something wrong after the first, would pass as a shorter image.
 */
const programs = {
  xz: ["xz", ["--decompress", "--stdout", "--quiet"]],
  zstd: ["zstd", ["--decompress", "--stdout", "--quiet", "--long=31"]],
} as const;

/**
 * The uncompressed bytes of a file. Input that ends too early, is damaged or continues after its end (zeros after gzip
 * and xz excepted, as padding) ends in Failure `image-damaged`; a machine short of memory in `tool-failed`; an archive of
 * something else than one file in `unsupported`. Errors of the source itself come through as they are.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  format: ImageFormat,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (format === "raw") yield* source;
  else if (format === "gzip") yield* gunzip(source);
  else if (format === "zip") yield* unzip(source);
  else yield* throughProgram(source, format, signal);
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const feed = watched(source);
  const stream = createGunzip({ chunkSize: 1 << 20 });
  feed.stream.on("error", (error) => stream.destroy(error)).pipe(stream);
  try {
    yield* stream as AsyncIterable<Buffer>;
    // Node takes zeros after the last member for padding, and stops looking there.
    feed.stream.unpipe(stream);
    for await (const _ of feed.stream);
  } catch (error) {
    if (feed.error() !== undefined) throw feed.error();
    throw damagedFile("gzip", error instanceof Error ? error.message : String(error), error);
  } finally {
    feed.stream.destroy();
    stream.destroy();
  }
  if (feed.tailAfter(stream.bytesWritten)) throw damagedFile("gzip", "there is trailing data after its end");
}

async function* throughProgram(
  source: AsyncIterable<Uint8Array>,
  format: "xz" | "zstd",
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const [command, args] = programs[format];
  const feed = watched(source);
  const child = execa(command, args, {
    stdin: "pipe",
    buffer: { stdout: false, stderr: true },
    encoding: "buffer",
    reject: false,
    cancelSignal: signal,
  });
  // A program that has found an error no longer reads; what it says counts, not the broken pipe.
  child.stdin.on("error", () => feed.stream.destroy());
  feed.stream.on("error", () => child.kill()).pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const result = await child;
    if (feed.error() !== undefined) throw feed.error();
    if (result.isCanceled) throw new Failure("cancelled", "the import was cancelled");
    if (result.exitCode === undefined && result.signal === undefined) {
      throw new Failure(
        "tool-failed",
        `${command} could not be run (${result.shortMessage}); install it from the Debian package ${debianPackage(format)}`,
        { cause: result },
      );
    }
    if (result.exitCode !== 0) {
      const { exitCode, signal: ended } = result;
      const said = Buffer.from(result.stderr).toString("utf8");
      throw judgeDecompressor({
        ...{ command, said },
        ...(exitCode !== undefined && { exitCode }),
        ...(ended !== undefined && { signal: ended }),
      });
    }
  } finally {
    feed.stream.destroy();
    child.kill();
    await child;
  }
}

/** The source as a stream that remembers its own error, so that it is not taken for damage of the file. */
function watched(source: AsyncIterable<Uint8Array>): {
  readonly stream: Readable;
  readonly error: () => unknown;
  readonly tailAfter: (consumedBytes: number) => boolean;
} {
  let failure: unknown;
  let fed = 0;
  let lastNonZeroEnd = 0;
  const stream = ReadableStream.from(
    (async function* () {
      try {
        for await (const chunk of source) {
          const end = chunk.findLastIndex((byte) => byte !== 0);
          if (end >= 0) lastNonZeroEnd = fed + end + 1;
          fed += chunk.length;
          yield chunk;
        }
      } catch (error) {
        failure = error;
        throw error;
      }
    })(),
  );
  return { stream, error: () => failure, tailAfter: (consumedBytes) => lastNonZeroEnd > consumedBytes };
}
