import { open } from "node:fs/promises";
import type { Card } from "../card.ts";
import { seenOn } from "../card-medium.ts";

/** The SD card of a virtual Pi: a sparse raw file, the card's size, which QEMU opens when the board is switched on. */
export async function createCardFile(file: string, sizeBytes: number): Promise<Card> {
  // QEMU refuses other sizes, because real cards have none (hw/sd/sd.c, sd_realize).
  if (!Number.isInteger(Math.log2(sizeBytes))) throw new Error(`a card of ${sizeBytes} bytes: not a power of two`);
  const medium = await open(file, "wx+");
  await medium.truncate(sizeBytes);
  return {
    device: "/dev/mmcblk0",
    sizeBytes,
    file,
    ...seenOn(medium),
    async write(offsetBytes, bytes) {
      await medium.write(bytes, 0, bytes.length, offsetBytes);
    },
    close: () => medium.close(),
  };
}
