import type { Block, BufferPool } from "./blocks.ts";
import type { OpenDevice } from "./open-device.ts";
import { writeFully } from "./transfer.ts";

/** So many writes are under way at once: the disk has the next one before it has finished one. */
export const WRITES_IN_FLIGHT = 2;

/**
 * Writes blocks to the disk, the last one padded with zeros to a whole sector, and gives their buffers back. Asks for
 * the next block only when one can be written. Resolves when all are written (not yet durable); throws the first
 * Failure, once no write is under way any more.
 */
export async function writeBlocks(
  blocks: AsyncIterable<Block>,
  device: OpenDevice,
  options: { readonly pool: BufferPool; readonly onWritten: (bytes: number) => void },
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const write = async (block: Block): Promise<void> => {
    const paddedBytes = Math.ceil(block.lengthBytes / device.sectorBytes) * device.sectorBytes;
    block.buffer.fill(0, block.lengthBytes, paddedBytes);
    await writeFully(device, {
      buffer: block.buffer,
      bufferOffset: 0,
      lengthBytes: paddedBytes,
      offsetBytes: block.offsetBytes,
    });
    options.pool.give(block.buffer);
    options.onWritten(block.lengthBytes);
  };
  try {
    for await (const block of blocks) {
      const writing = write(block);
      inFlight.add(writing);
      // One that fails stays in the set, for the race below to find.
      writing.then(
        () => inFlight.delete(writing),
        () => undefined,
      );
      if (inFlight.size >= WRITES_IN_FLIGHT) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  } finally {
    await Promise.allSettled(inFlight);
  }
}
