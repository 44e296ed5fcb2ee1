import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { diskIdEnd, slotAt, slotSectorsAt } from "../formats/boot-record.ts";

/** What changes in a partition table. */
export interface TableChanges {
  /** PARTUUIDs by number. */
  readonly partitionUuids: ReadonlyMap<number, string>;
  /** Lengths in bytes by number, of partitions that grow. */
  readonly lengths: ReadonlyMap<number, number>;
}

/**
 * The old image's boot record with the boot code and the disk id of the new one (PARTUUIDs begin with it), and with
 * other lengths of primary partitions.
 */
export function renderBootRecord(old: Buffer, next: Buffer, { lengths }: Pick<TableChanges, "lengths">): Buffer {
  const record = Buffer.from(old);
  next.copy(record, 0, 0, diskIdEnd);
  for (const [number, lengthBytes] of lengths)
    record.writeUInt32LE(lengthBytes / sectorBytes, slotAt(number - 1) + slotSectorsAt);
  return record;
}

/**
 * A script for sfdisk(8) from its own dump of the old image: the same GPT with other ids and lengths. What says where
 * the table ends is left out, as the disk may be larger.
 */
export function renderTableScript(dump: string, diskId: string, { partitionUuids, lengths }: TableChanges): string {
  const lines = dump.split("\n").filter((line) => !/^(device|last-lba|sector-size):/.test(line));
  const edited = lines.map((line) => {
    if (line.startsWith("label-id:")) return `label-id: ${diskId}`;
    const entry = /(\d+) : (start=.*)$/.exec(line);
    if (entry === null) return line;
    const [, digits = "", fields = ""] = entry;
    const uuid = partitionUuids.get(Number(digits));
    const lengthBytes = lengths.get(Number(digits));
    const sized =
      lengthBytes === undefined ? fields : fields.replace(/size= *\d+/, `size=${lengthBytes / sectorBytes}`);
    return `${line.slice(0, entry.index)}${digits} : ${uuid === undefined ? sized : sized.replace(/uuid=[0-9A-Fa-f-]+/, `uuid=${uuid}`)}`;
  });
  return edited.join("\n");
}

/** The disk's own GUID in a dump of sfdisk(8). */
export function parseDiskId(dump: string): string | undefined {
  return /^label-id: *(\S+)$/m.exec(dump)?.[1];
}
