import { Failure } from "../../../proto/failure.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { bootCodeBytes, hasBootSignature, slotAt, slotSectorsAt, slotStartAt } from "./boot-record.ts";
import { type PartitionTable, type ReadBytes, refuseMisplaced, type TableEntry } from "./partition-table.ts";

/** One of the four slots of a boot record (UEFI 2.10, table 5.2); sectors count as the slot says, not absolutely. */
interface Slot {
  readonly position: number;
  readonly type: number;
  readonly startSector: number;
  readonly sectors: number;
}

const extendedTypes: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
const protectiveType = 0xee;
/** Linux takes up to 256 minors of a disk; nobody has that many, and a chain needs an end. */
const maximumLogical = 60;

/** Whether the first sector is a boot record with a partition table in it: signature, and sane boot indicators. */
export function isBootRecord(sector: Buffer): boolean {
  if (!hasBootSignature(sector)) return false;
  // A FAT filesystem without a table has the same signature, but code or text where the four indicators would be.
  return [0, 1, 2, 3].every((position) => (sector.readUInt8(slotAt(position)) & 0x7f) === 0);
}

/** Whether the boot record only guards a GPT (UEFI 2.10, section 5.2.3); Linux reads a hybrid one as GPT too. */
export function isProtective(sector: Buffer): boolean {
  return isBootRecord(sector) && slotsOf(sector).some((slot) => slot.type === protectiveType && slot.startSector === 1);
}

/**
 * Parses a master boot record and the chain of extended boot records, numbered as Linux does: 1 to 4 for the slots,
 * from 5 for logical partitions. Throws Failure `image-damaged` for a table that contradicts itself or the image.
 */
export function parseMbr(read: ReadBytes, imageBytes: number): PartitionTable {
  const sector = read(0, sectorBytes);
  if (!isBootRecord(sector)) throw new Failure("unsupported", "the image has no partition table");
  const diskId = sector.readUInt32LE(bootCodeBytes).toString(16).padStart(8, "0");
  const entry = (number: number, type: number, startSector: number, sectors: number): TableEntry => ({
    number,
    offsetBytes: startSector * sectorBytes,
    lengthBytes: sectors * sectorBytes,
    type: type.toString(16).padStart(2, "0"),
    partitionUuid: `${diskId}-${number.toString(16).padStart(2, "0")}`,
  });

  const used = slotsOf(sector).filter((slot) => slot.type !== 0 && slot.sectors > 0);
  const primary = used.map((slot) => entry(slot.position + 1, slot.type, slot.startSector, slot.sectors));
  refuseMisplaced(primary, sectorBytes, imageBytes);

  const containers = used.filter((slot) => extendedTypes.has(slot.type));
  const [container] = containers;
  if (containers.length > 1) throw new Failure("image-damaged", "the partition table has two extended partitions");
  const { logical, records } = container === undefined ? { logical: [], records: [] } : readChain(read, container);
  const entries = [
    ...primary.filter(({ type }) => !extendedTypes.has(Number.parseInt(type, 16))),
    ...logical.map(({ type, startSector, sectors }, index) => entry(index + 5, type, startSector, sectors)),
  ];
  if (entries.length === 0) throw new Failure("unsupported", "the image's partition table is empty");
  if (container !== undefined) {
    const start = container.startSector * sectorBytes;
    const numbered = entries.filter(({ number }) => number > 4);
    const end = start + container.sectors * sectorBytes;
    refuseMisplaced(numbered, start + sectorBytes, end, "the extended partition");
    for (const record of records) {
      const at = record * sectorBytes;
      const over = numbered.find(({ offsetBytes, lengthBytes }) => at >= offsetBytes && at < offsetBytes + lengthBytes);
      if (over === undefined) continue;
      throw new Failure(
        "image-damaged",
        `the extended boot record in sector ${record} is inside partition ${over.number}; the image is a bad copy`,
      );
    }
  }
  return { kind: "mbr", entries };
}

/**
 * Follows the extended boot records of a container; the returned slots start at absolute sectors, as the records do. A
 * container without a first record has no partitions, as Linux sees it (block/partitions/msdos.c, parse_extended).
 */
function readChain(
  read: ReadBytes,
  container: Slot,
): { readonly logical: readonly Omit<Slot, "position">[]; readonly records: readonly number[] } {
  const logical: Omit<Slot, "position">[] = [];
  const visited = new Set<number>();
  let at: number | undefined = container.startSector;
  while (at !== undefined) {
    const here: number = at;
    if (visited.has(here)) throw new Failure("image-damaged", "the chain of logical partitions never ends");
    if (visited.size >= maximumLogical) {
      throw new Failure("unsupported", `the image has more than ${maximumLogical} logical partitions`);
    }
    visited.add(here);
    if (here < container.startSector || here >= container.startSector + container.sectors) {
      throw new Failure(
        "image-damaged",
        `the chain of logical partitions leaves the extended partition at sector ${here}`,
      );
    }
    const record = read(here * sectorBytes, sectorBytes);
    if (!hasBootSignature(record) && here === container.startSector) break;
    if (!hasBootSignature(record)) {
      throw new Failure("image-damaged", `the extended boot record in sector ${here} has no signature`);
    }
    const slots = slotsOf(record).filter((slot) => slot.type !== 0 && slot.sectors > 0);
    for (const { type, startSector, sectors } of slots.filter((slot) => !extendedTypes.has(slot.type)).slice(0, 1)) {
      logical.push({ type, startSector: here + startSector, sectors });
    }
    // A link counts from the start of the container, a partition from the record that describes it.
    const link = slots.find((slot) => extendedTypes.has(slot.type));
    at = link === undefined ? undefined : container.startSector + link.startSector;
  }
  return { logical, records: [...visited] };
}

function slotsOf(sector: Buffer): readonly Slot[] {
  return [0, 1, 2, 3].map((position) => {
    const offset = slotAt(position);
    return {
      position,
      type: sector.readUInt8(offset + 4),
      startSector: sector.readUInt32LE(offset + slotStartAt),
      sectors: sector.readUInt32LE(offset + slotSectorsAt),
    };
  });
}
