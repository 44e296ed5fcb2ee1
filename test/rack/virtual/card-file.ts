import { open } from "node:fs/promises";
import type { Card } from "../card.ts";

/** The SD card of a virtual Pi: a sparse raw file, the card's size, which QEMU opens when the board is switched on. */
export async function createCardFile(file: string, sizeBytes: number): Promise<Card> {
  // QEMU refuses other sizes, because real cards have none (hw/sd/sd.c, sd_realize).
  if (!Number.isInteger(Math.log2(sizeBytes))) throw new Error(`a card of ${sizeBytes} bytes: not a power of two`);
  const medium = await open(file, "wx+");
  await medium.truncate(sizeBytes);
  const read = async (offsetBytes: number, lengthBytes: number) => {
    const bytes = Buffer.alloc(lengthBytes);
    const { bytesRead } = await medium.read(bytes, 0, lengthBytes, offsetBytes);
    if (bytesRead !== lengthBytes) throw new Error(`the card ends before ${offsetBytes + lengthBytes}`);
    return bytes;
  };
  return {
    device: "/dev/mmcblk0",
    sizeBytes,
    file,
    read,
    async write(offsetBytes, bytes) {
      await medium.write(bytes, 0, bytes.length, offsetBytes);
    },
    async hasPartitionTable() {
      const start = await read(0, 1024);
      return start.readUInt16BE(510) === 0x55aa || start.toString("latin1", 512, 520) === "EFI PART";
    },
    close: () => medium.close(),
  };
}
