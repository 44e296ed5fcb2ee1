import { findServerSlot, renderServerAddress } from "../boot-tree/server-slot.ts";
import type { BootContent } from "./boot-content.ts";

/** Larger files are no U-Boot of ours, in bytes. */
const maxUBootBytes = 4 * 2 ** 20;

/**
 * A U-Boot that is given the address of its TFTP server on the way; any other file as it is. Its size stays the same.
 *
 * @param address of this machine as nodes reach it
 */
export async function withServerAddress(content: BootContent, address: string): Promise<BootContent> {
  const rendered = renderServerAddress(address);
  if (rendered === undefined || content.sizeBytes > maxUBootBytes) return content;
  const whole = await readWhole(content).catch(async (error: unknown) => {
    await content.release();
    throw error;
  });
  const at = findServerSlot(whole);
  if (at === undefined) return content;
  whole.write(rendered, at, "latin1");
  return {
    sizeBytes: whole.length,
    async read(target, positionBytes) {
      const piece = whole.subarray(positionBytes, positionBytes + target.length);
      target.set(piece);
      return piece.length;
    },
    release: () => content.release(),
  };
}

/** A file that was cut meanwhile ends in zero bytes. */
async function readWhole(content: BootContent): Promise<Buffer> {
  const whole = Buffer.alloc(content.sizeBytes);
  for (let filled = 0; filled < whole.length; ) {
    const count = await content.read(whole.subarray(filled), filled);
    if (count === 0) break;
    filled += count;
  }
  return whole;
}
