import { constants, createZstdDecompress, type ZstdDecompress } from "node:zlib";

/** A frame to decompress. */
interface Job {
  /** Exactly one zstd frame. */
  readonly frame: Uint8Array;
  /** Exactly as long as what it holds. */
  readonly target: Uint8Array;
  /** Called once, with what is wrong with the frame if something is; the target then holds rubbish. */
  readonly done: (problem: string | undefined) => void;
}

/** Decompresses frames beside the main thread. */
export interface FrameDecoders {
  /** Frames are begun in the order of the calls and may end in another. The frame's bytes must stay until then. */
  decode(frame: Uint8Array, target: Uint8Array, done: Job["done"]): void;
  /** Ends every frame that is not done, with a problem. */
  close(): void;
}

/** Node's default of 16 KiB makes decompression more than half as dear again (measured). */
const OUTPUT_BYTES = 256 * 1024;
/** A frame may ask for so much memory even where its chunk is smaller: less is nothing to save. */
const LEAST_WINDOW_LOG = 17;

/**
 * So many decoders that each go from frame to frame: one made anew for each frame costs more than twice the CPU
 * (measured). Memory of each: its window, at most a chunk (at least 128 KiB), and `OUTPUT_BYTES` or a chunk of output. A
 * frame that asks for a larger window, or yields more than its target takes, is stopped when it does.
 */
export function createFrameDecoders(count: number, chunkBytes: number): FrameDecoders {
  const queue: Job[] = [];
  const idle: Decoder[] = [];
  const decoders = new Set<Decoder>();
  let closed = false;

  const release = (decoder: Decoder, usable: boolean): void => {
    if (closed) return;
    if (!usable) {
      decoders.delete(decoder);
      decoder.destroy();
    }
    const ready = usable ? decoder : open();
    const job = queue.shift();
    if (job === undefined) idle.push(ready);
    else ready.run(job);
  };
  const open = (): Decoder => {
    const decoder = openDecoder(chunkBytes, (usable) => release(decoder, usable));
    decoders.add(decoder);
    return decoder;
  };

  return {
    decode(frame, target, done) {
      const job = { frame, target, done };
      if (closed) {
        done("the decoders were closed");
        return;
      }
      const decoder = idle.pop() ?? (decoders.size < count ? open() : undefined);
      if (decoder === undefined) queue.push(job);
      else decoder.run(job);
    },
    close() {
      closed = true;
      for (const decoder of decoders) decoder.destroy();
      for (const job of queue.splice(0)) job.done("the decoders were closed");
    },
  };
}

interface Decoder {
  run(job: Job): void;
  destroy(): void;
}

/** One decoder; `onFree` is called after each frame with whether the next may be given to it. */
function openDecoder(chunkBytes: number, onFree: (usable: boolean) => void): Decoder {
  const outputBytes = Math.max(OUTPUT_BYTES, chunkBytes);
  const stream: ZstdDecompress = createZstdDecompress({
    chunkSize: outputBytes,
    params: { [constants.ZSTD_d_windowLogMax]: Math.max(LEAST_WINDOW_LOG, Math.ceil(Math.log2(chunkBytes))) },
  });
  let job: Job | undefined;
  let filled = 0;
  const finish = (problem: string | undefined): void => {
    const finished = job;
    if (finished === undefined) return;
    job = undefined;
    // First the next frame, so that it is worked on while this one is looked at.
    onFree(problem === undefined);
    finished.done(problem);
  };
  stream.on("data", (bytes: Buffer<ArrayBuffer>) => {
    if (job !== undefined && filled + bytes.length > job.target.length) {
      finish(`it yields more than ${job.target.length} bytes`);
      return;
    }
    job?.target.set(bytes, filled);
    filled += bytes.length;
    // The stream takes a new buffer when this one is full: its memory is given back now, not at some collection.
    if (bytes.byteOffset + bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer(0);
  });
  stream.on("error", (error) => finish(error.message));
  // Only a frame that is followed by something else ends the stream.
  stream.on("end", () => finish("more bytes follow its end"));
  stream.on("close", () => finish("the decoders were closed"));
  return {
    run(next) {
      job = next;
      filled = 0;
      stream.write(next.frame, (error) => {
        if (error || job !== next) return;
        finish(filled === next.target.length ? undefined : `it yields ${filled} of ${next.target.length} bytes`);
      });
    },
    destroy: () => void stream.destroy(),
  };
}
