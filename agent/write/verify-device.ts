import { Failure } from "../../proto/failure.ts";
import type { BufferPool } from "./blocks.ts";
import { type ChunkDigest, digestOf } from "./check-image.ts";
import type { OpenDevice } from "./open-device.ts";
import { readFully } from "./transfer.ts";

/** Buffers that verifyDevice() takes at once: one is read while another is compared. */
export const VERIFY_BUFFERS = 2;

/**
 * Reads every chunk back from the disk and compares its digest. Throws a Failure "verify-mismatch" that names the first
 * range that differs with both digests, "device-error" when the disk does not give it, or the signal's reason.
 */
export async function verifyDevice(
  device: OpenDevice,
  chunks: readonly ChunkDigest[],
  options: {
    readonly pool: BufferPool;
    readonly signal: AbortSignal;
    readonly onVerified: (bytes: number) => void;
  },
): Promise<void> {
  const { pool, signal } = options;
  const read = async (chunk: ChunkDigest): Promise<Buffer<ArrayBuffer>> => {
    const buffer = pool.take();
    try {
      await readFully(device, {
        buffer,
        bufferOffset: 0,
        lengthBytes: Math.ceil(chunk.lengthBytes / device.sectorBytes) * device.sectorBytes,
        offsetBytes: chunk.offsetBytes,
      });
      return buffer;
    } catch (error) {
      pool.give(buffer);
      throw error;
    }
  };

  let ahead: Promise<Buffer<ArrayBuffer>> | undefined;
  try {
    for (const [index, chunk] of chunks.entries()) {
      signal.throwIfAborted();
      const buffer = await (ahead ?? read(chunk));
      const next = chunks[index + 1];
      ahead = next && read(next);
      // Awaited in the next round, or in `finally`.
      ahead?.catch(() => undefined);
      const found = digestOf(buffer.subarray(0, chunk.lengthBytes));
      pool.give(buffer);
      if (found !== chunk.digest) throw mismatch(device.path, chunk, found);
      options.onVerified(chunk.lengthBytes);
    }
    ahead = undefined;
  } finally {
    await ahead?.then(pool.give, () => undefined);
  }
}

function mismatch(device: string, { offsetBytes, lengthBytes, digest }: ChunkDigest, found: string): Failure {
  return new Failure(
    "verify-mismatch",
    `${device} does not hold what was written to it: the ${lengthBytes} bytes at byte ${offsetBytes} differ; ` +
      "the card is worn out or not as large as it says, replace it",
    { range: { device, offsetBytes, lengthBytes }, expected: digest, found },
  );
}
