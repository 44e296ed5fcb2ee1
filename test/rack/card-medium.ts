import type { FileHandle } from "node:fs/promises";

/** What is seen on a card by whoever holds its medium, whatever kind of board has it. */
export interface CardMedium {
  /** What has reached the medium. */
  read(offsetBytes: number, lengthBytes: number): Promise<Buffer>;
  /** Whether the boot signature of an MBR or the magic of a GPT is there. */
  hasPartitionTable(): Promise<boolean>;
}

/** Reads the medium by its open file. */
export function seenOn(medium: FileHandle): CardMedium {
  const read = async (offsetBytes: number, lengthBytes: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(lengthBytes);
    const { bytesRead } = await medium.read(bytes, 0, lengthBytes, offsetBytes);
    if (bytesRead !== lengthBytes) throw new Error(`the card ends before ${offsetBytes + lengthBytes}`);
    return bytes;
  };
  return {
    read,
    async hasPartitionTable() {
      const start = await read(0, 1024);
      return start.readUInt16BE(510) === 0x55aa || start.toString("latin1", 512, 520) === "EFI PART";
    },
  };
}
