import { loadZstd } from "./zstd-library.ts";

/**
 * Decompresses frames off the main thread, several at once. Nobody may touch the bytes of either argument before the
 * promise is settled.
 */
export interface FrameDecompressors {
  /**
   * Decompresses complete zstd frames that stand one after the other. They have to fill the target exactly: otherwise,
   * and where they are damaged, it rejects with an Error that says what is wrong, and the target holds rubbish.
   */
  decompress(frames: Uint8Array, target: Uint8Array): Promise<void>;
  /** Rejects what has not begun; what is under way ends by itself. */
  close(): void;
}

/** Compresses off the main thread, several pieces at once. The same holds for its arguments. */
export interface FrameCompressors {
  /**
   * Compresses to one zstd frame at the beginning of the target, which has room for maxFrameBytes of that many bytes.
   * Resolves with the frame's length.
   */
  compress(bytes: Uint8Array, target: Uint8Array): Promise<number>;
  /** Rejects what has not begun; what is under way ends by itself. */
  close(): void;
}

/** Throws Failure `unsupported` where there can be none. */
export function createFrameDecompressors(count: number): FrameDecompressors {
  const zstd = loadZstd();
  const contexts = Array.from({ length: count }, () => zstd.createDecompressionContext());
  const queue = createQueue(contexts, zstd.freeDecompressionContext);
  return {
    async decompress(frames, target) {
      const bytes = await queue.run((context) => zstd.decompress(context, target, frames));
      if (bytes !== target.length) throw new Error(`it decompresses to ${bytes} of ${target.length} bytes`);
    },
    close: queue.close,
  };
}

/** Throws Failure `unsupported` where there can be none. `level` is zstd's, from 1 to 22. */
export function createFrameCompressors(count: number, level: number): FrameCompressors {
  const zstd = loadZstd();
  const contexts = Array.from({ length: count }, () => zstd.createCompressionContext(level));
  const queue = createQueue(contexts, zstd.freeCompressionContext);
  return {
    compress: (bytes, target) => queue.run((context) => zstd.compress(context, target, bytes)),
    close: queue.close,
  };
}

/** Gives each piece of work a context of its own for as long as it takes. They are begun in the order of the calls. */
function createQueue(contexts: readonly unknown[], free: (context: unknown) => void) {
  const idle = [...contexts];
  const waiting: { readonly begin: (context: unknown) => void; readonly refuse: (error: Error) => void }[] = [];
  let closed = false;

  const giveBack = (context: unknown): void => {
    const next = waiting.shift();
    if (next !== undefined) next.begin(context);
    else if (closed) free(context);
    else idle.push(context);
  };
  return {
    run<Result>(work: (context: unknown) => Promise<Result>): Promise<Result> {
      return new Promise((resolve, reject) => {
        const begin = (context: unknown): void => {
          // Start the next one first, so that it runs while this one is handled.
          const done = work(context).finally(() => giveBack(context));
          done.then(resolve, reject);
        };
        const context = idle.pop();
        if (closed) reject(new Error("it was closed"));
        else if (context === undefined) waiting.push({ begin, refuse: reject });
        else begin(context);
      });
    },
    close(): void {
      closed = true;
      for (const context of idle.splice(0)) free(context);
      for (const { refuse } of waiting.splice(0)) refuse(new Error("it was closed"));
    },
  };
}
