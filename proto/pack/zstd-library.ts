import { promisify } from "node:util";
import { Failure } from "../failure.ts";
import { type KoffiFunction, loadKoffiAddon } from "./koffi-addon.ts";

/** Functions of libzstd, by their names in its zstd.h. A context is a pointer. */
export interface ZstdLibrary {
  /** ZSTD_createDCtx; some 160 KiB. */
  createDecompressionContext(): unknown;
  /** ZSTD_freeDCtx. */
  freeDecompressionContext(context: unknown): void;
  /** ZSTD_createCCtx with ZSTD_c_compressionLevel. */
  createCompressionContext(level: number): unknown;
  /** ZSTD_freeCCtx. */
  freeCompressionContext(context: unknown): void;
  /**
   * ZSTD_decompressDCtx on a thread of libuv's pool: decompresses complete frames that stand one after the other.
   * Resolves with the number of bytes at the beginning of the target. No frame can make it take more memory or write
   * outside the target: in one call the window is the target itself. Rejects with an Error in the library's words; the
   * target then holds rubbish.
   */
  decompress(context: unknown, target: Uint8Array, frames: Uint8Array): Promise<number>;
  /** ZSTD_compress2 likewise: compresses to one frame (RFC 8878) with the content's length in its header. */
  compress(context: unknown, target: Uint8Array, bytes: Uint8Array): Promise<number>;
}

const compressionLevelParameter = 100;

let library: ZstdLibrary | undefined;

/**
 * The libzstd that Node carries and exports for native modules (Node's documentation, "C++ addons", "Linking to
 * libraries included with Node.js"), called directly. node:zlib takes one frame at a time, and for frames of 64 KiB to
 * hand it over and back costs as much as to decompress it, a second of CPU time for a GiB (measured); it drops what
 * follows a frame in the same piece of input, and now and then adds an empty frame to what it compresses (Node 24.21).
 *
 * Throws Failure `unsupported` where it cannot be called.
 */
export function loadZstd(): ZstdLibrary {
  try {
    library ??= declareFunctions();
    return library;
  } catch (cause) {
    throw new Failure(
      "unsupported",
      "cannot call the zstd library inside this Node (it needs Linux on x64 or arm64 with glibc): " +
        (cause instanceof Error ? cause.message : String(cause)),
      { cause },
    );
  }
}

function declareFunctions(): ZstdLibrary {
  const zstd = loadKoffiAddon().load(null);
  const createDecompression = zstd.func("void *ZSTD_createDCtx()");
  const freeDecompression = zstd.func("size_t ZSTD_freeDCtx(void *context)");
  const createCompression = zstd.func("void *ZSTD_createCCtx()");
  const freeCompression = zstd.func("size_t ZSTD_freeCCtx(void *context)");
  const setParameter = zstd.func("size_t ZSTD_CCtx_setParameter(void *context, int parameter, int value)");
  const codingArguments = "void *context, void *target, size_t capacity, const void *source, size_t bytes";
  const decompress = zstd.func(`size_t ZSTD_decompressDCtx(${codingArguments})`);
  const compress = zstd.func(`size_t ZSTD_compress2(${codingArguments})`);
  const isError = zstd.func("unsigned int ZSTD_isError(size_t result)");
  const errorName = zstd.func("const char *ZSTD_getErrorName(size_t result)");

  const checked = (result: unknown): number => {
    if (isError(result)) throw new Error(String(errorName(result)));
    return Number(result);
  };
  const made = (context: unknown): unknown => {
    if (context === null) throw new Error("no memory for a libzstd context");
    return context;
  };
  const onThread = (code: KoffiFunction) => {
    const call = promisify(code.async) as (...values: readonly unknown[]) => Promise<unknown>;
    return async (context: unknown, target: Uint8Array, source: Uint8Array): Promise<number> => {
      // Koffi keeps nothing alive but the callback. What is named after the call is kept until then: otherwise a
      // collection could free the bytes under the thread's hands.
      const inUse = [target, source];
      try {
        return checked(await call(context, target, target.length, source, source.length));
      } finally {
        inUse.length = 0;
      }
    };
  };

  return {
    createDecompressionContext: () => made(createDecompression()),
    freeDecompressionContext: (context) => void freeDecompression(context),
    createCompressionContext(level) {
      const context = made(createCompression());
      checked(setParameter(context, compressionLevelParameter, level));
      return context;
    },
    freeCompressionContext: (context) => void freeCompression(context),
    decompress: onThread(decompress),
    compress: onThread(compress),
  };
}
