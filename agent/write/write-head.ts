import { BLOCK_BYTES, type BufferPool } from "./blocks.ts";
import { type ChunkDigest, digestOf } from "./check-image.ts";
import type { OpenDevice } from "./open-device.ts";
import { syncDevice, writeFully } from "./transfer.ts";
import { verifyDevice } from "./verify-device.ts";

/**
 * Writes what lies before the first partition: everything but the first sector, then that sector, which makes the disk
 * one with a partition table; each is made durable before the next step. Then reads all of it back and compares.
 * Throws a Failure "device-error" or "verify-mismatch", or the signal's reason.
 */
export async function writeHead(
  device: OpenDevice,
  /** Page-aligned; its length is a multiple of the disk's sector. */
  head: Buffer<ArrayBuffer>,
  options: {
    readonly pool: BufferPool;
    readonly signal: AbortSignal;
    readonly onWritten: (bytes: number) => void;
    readonly onVerified: (bytes: number) => void;
  },
): Promise<void> {
  const { signal, onWritten } = options;
  const { sectorBytes } = device;
  const write = async (offsetBytes: number, lengthBytes: number): Promise<void> => {
    signal.throwIfAborted();
    await writeFully(device, { buffer: head, bufferOffset: offsetBytes, lengthBytes, offsetBytes });
    onWritten(lengthBytes);
  };
  for (let at = sectorBytes; at < head.length; at += BLOCK_BYTES)
    await write(at, Math.min(BLOCK_BYTES, head.length - at));
  await syncDevice(device);
  await write(0, sectorBytes);
  await syncDevice(device);
  await verifyDevice(device, chunksOf(head), options);
}

function chunksOf(head: Buffer): ChunkDigest[] {
  return Array.from({ length: Math.ceil(head.length / BLOCK_BYTES) }, (_, index) => {
    const offsetBytes = index * BLOCK_BYTES;
    const bytes = head.subarray(offsetBytes, offsetBytes + BLOCK_BYTES);
    return { offsetBytes, lengthBytes: bytes.length, digest: digestOf(bytes) };
  });
}
