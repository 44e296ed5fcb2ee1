import { createDecompressionContext } from "./zstd-library.ts";

/** Frames to decompress. */
interface Job {
  /** Complete zstd frames, one after the other. */
  readonly frames: Uint8Array;
  /** Exactly as long as what they hold. */
  readonly target: Uint8Array;
  /** Called once, with what is wrong with the frames if something is; the target then holds rubbish. */
  readonly done: (problem: string | undefined) => void;
}

/** Decompresses frames beside the main thread. */
export interface FrameDecoders {
  /** Calls are begun in their order and may end in another. Nobody may touch the bytes of either until then. */
  decode(frames: Uint8Array, target: Uint8Array, done: Job["done"]): void;
  /** Ends what has not begun with a problem; what is under way ends by itself. */
  close(): void;
}

/** So many decoders that each go from job to job. Throws Failure `unsupported` where there can be none. */
export function createFrameDecoders(count: number): FrameDecoders {
  const idle = Array.from({ length: count }, createDecompressionContext);
  const queue: Job[] = [];
  let closed = false;

  const startNext = (): void => {
    const context = queue.length > 0 ? idle.pop() : undefined;
    const job = context && queue.shift();
    if (context === undefined || job === undefined) return;
    context.decompress(job.frames, job.target, (problem) => {
      if (closed) context.free();
      else idle.push(context);
      // First the next one, so that it is worked on while this one is looked at.
      startNext();
      job.done(problem);
    });
  };

  return {
    decode(frames, target, done) {
      if (closed) {
        done("the decoders were closed");
        return;
      }
      queue.push({ frames, target, done });
      startNext();
    },
    close() {
      closed = true;
      for (const context of idle.splice(0)) context.free();
      for (const job of queue.splice(0)) job.done("the decoders were closed");
    },
  };
}
