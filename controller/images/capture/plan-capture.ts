import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { slotAt, slotSectorsAt, slotStartAt } from "../formats/boot-record.ts";
import type { PartitionTable } from "../formats/partition-table.ts";
import { type Extents, subtract, toExtents } from "../map/extents.ts";

/**
 * Where an image of a disk ends: behind the last partition, or the extended one. What is behind belongs to nothing, and a
 * GPT's backup there is made anew on each card.
 *
 * @param bootRecord the first sector
 */
export function endOfTable({ kind, entries }: PartitionTable, bootRecord: Buffer): number {
  const ends = entries.map(({ offsetBytes, lengthBytes }) => offsetBytes + lengthBytes);
  if (kind === "gpt") return Math.max(...ends);
  const slots = [0, 1, 2, 3].map(slotAt).map((at) => {
    const isUsed = bootRecord.readUInt8(at + 4) !== 0;
    return isUsed ? bootRecord.readUInt32LE(at + slotStartAt) + bootRecord.readUInt32LE(at + slotSectorsAt) : 0;
  });
  return Math.max(...ends, ...slots.map((sectors) => sectors * sectorBytes));
}

/** What blkid(8) may look at to say what a partition holds: the superblocks that stand at its beginning and its end. */
export function placesToProbe(partitions: readonly Place[]): Extents {
  return toExtents(
    partitions.flatMap(({ offsetBytes, lengthBytes }) => {
      const end = offsetBytes + lengthBytes;
      return [
        { start: offsetBytes, end: Math.min(end, offsetBytes + 2 * mebibyte) },
        { start: Math.max(offsetBytes, end - mebibyte), end },
      ];
    }),
  );
}

interface Place {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const mebibyte = 1024 * 1024;

/** Of a swap area only its header is kept: nothing else of it means anything after a shutdown. See mkswap(8). */
export function swappedOut({ offsetBytes, lengthBytes }: Place): Extents {
  return toExtents([{ start: offsetBytes + 64 * 1024, end: offsetBytes + lengthBytes }]);
}

/** What is to be read of a disk: all of the image but what is left out. */
export function planReading(imageBytes: number, leftOut: Extents): Extents {
  return subtract([{ start: 0, end: imageBytes }], leftOut);
}
