import { Failure } from "../../proto/failure.ts";
import { type KoffiFunction, loadKoffiAddon } from "./koffi-addon.ts";

/** A decompression context of libzstd, ZSTD_DCtx in its zstd.h. */
export interface DecompressionContext {
  /**
   * Decompresses complete frames that stand one after the other, on a thread of libuv's pool. They have to fill the
   * target exactly; what is wrong when they do not, or are damaged, is told to `done`, and the target then holds
   * rubbish. Nobody may touch the bytes of either meanwhile. One call at a time.
   */
  decompress(frames: Uint8Array, target: Uint8Array, done: (problem: string | undefined) => void): void;
  /** Gives its memory back. Not while it decompresses, and nothing after it. */
  free(): void;
}

interface Functions {
  readonly create: KoffiFunction;
  readonly free: KoffiFunction;
  readonly decompress: KoffiFunction;
  readonly isError: KoffiFunction;
  readonly errorName: KoffiFunction;
}

let functions: Functions | undefined;

/**
 * Makes a context, some 160 KiB. What decompresses is the libzstd that Node carries and exports for native modules (Node's
 * documentation, "C++ addons", "Linking to libraries included with Node.js"), called directly: node:zlib takes one frame
 * at a time, and for frames of 64 KiB to hand it over and back costs as much as to decompress it, a second of CPU
 * time for a GiB (measured). Here a thread is given a megabyte of frames, and decompresses straight to where they go.
 *
 * No frame can make it take more memory or write outside the target: in one call the window is the target itself.
 * Throws Failure `unsupported` where that cannot be called.
 */
export function createDecompressionContext(): DecompressionContext {
  const { create, free, decompress, isError, errorName } = loadFunctions();
  const context: unknown = create();
  if (context === null) throw new Failure("unsupported", "there is no memory for a decompression context of libzstd");
  return {
    decompress(frames, target, done) {
      const ended = (error: Error | null, result: number | bigint): void => {
        if (error) done(error.message);
        else if (isError(result)) done(String(errorName(result)));
        else if (Number(result) === target.length) done(undefined);
        else done(`it yields ${result} of ${target.length} bytes`);
      };
      decompress.async(context, target, target.length, frames, frames.length, ended);
    },
    free: () => void free(context),
  };
}

function loadFunctions(): Functions {
  try {
    functions ??= declareFunctions();
    return functions;
  } catch (cause) {
    throw new Failure(
      "unsupported",
      "the zstd library inside this Node cannot be called (linux on x64 or arm64 with glibc is needed): " +
        (cause instanceof Error ? cause.message : String(cause)),
      { cause },
    );
  }
}

function declareFunctions(): Functions {
  const library = loadKoffiAddon().load(null);
  return {
    create: library.func("void *ZSTD_createDCtx()"),
    free: library.func("size_t ZSTD_freeDCtx(void *context)"),
    decompress: library.func(
      "size_t ZSTD_decompressDCtx(void *context, void *target, size_t capacity, const void *frames, size_t bytes)",
    ),
    isError: library.func("unsigned int ZSTD_isError(size_t result)"),
    errorName: library.func("const char *ZSTD_getErrorName(size_t result)"),
  };
}
