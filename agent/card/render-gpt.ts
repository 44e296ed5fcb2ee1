import { crc32 } from "node:zlib";
import type { Growth } from "../../proto/operation/operation-spec.ts";
import { sectorBytes } from "../../proto/pack/image-bounds.ts";
import type { PartitionIdChange } from "../../proto/system/installed-system.ts";
import type { CardTable, TableChanges } from "./table-changes.ts";
import { grownEnd, slotAt, slotsOf } from "./table-layout.ts";

/** Fields of a header (UEFI 2.10, table 5.5), and of an entry (table 5.6). */
const header = {
  size: 12,
  crc: 16,
  here: 24,
  alternate: 32,
  lastUsable: 48,
  entriesAt: 72,
  count: 80,
  entryBytes: 84,
  entriesCrc: 88,
} as const;
const entry = { uuid: 16, first: 32, last: 40 } as const;

/** Most bytes of entries; tables have 128 of 128 bytes. */
const mostEntryBytes = 1024 * 1024;

/**
 * A GPT, fitted to a card: its backup and its last usable sector are where the card ends, also when nothing grows.
 * Undefined when its header or its entries are broken or lie elsewhere than before the first partition.
 *
 * @param protectiveOnly whether the boot record has no partitions of its own: then it covers the whole disk
 */
export function renderGpt(
  image: Buffer,
  { diskBytes, growth, ids = [] }: TableChanges,
  protectiveOnly: boolean,
): CardTable | undefined {
  const start = Buffer.from(image);
  const primary = headerOf(start);
  const entries = primary && entriesOf(start, primary);
  if (primary === undefined || entries === undefined) return undefined;
  const entrySectors = Math.ceil(entries.bytes.length / sectorBytes);
  const lastSector = Math.floor(diskBytes / sectorBytes) - 1;
  // One that ends there already keeps its own word: some tools leave more room than the entries take.
  const ends = primary.readBigUInt64LE(header.alternate) === BigInt(lastSector);
  const lastFree = lastSector - entrySectors - 1;
  // No word of the image's puts a partition onto the backup, or the backup onto what the start holds.
  const lastUsable = ends ? Math.min(Number(primary.readBigUInt64LE(header.lastUsable)), lastFree) : lastFree;
  const startSectors = Math.ceil(image.length / sectorBytes);
  // A card that has no room for the backup behind the last partition keeps what the image has.
  const fits = lastFree + 1 >= startSectors && used(entries).every(({ last }) => last <= lastUsable);
  const grown = growth && grow(entries, growth, fits ? (lastUsable + 1) * sectorBytes : 0);
  const changed = setUuids(entries, ids);
  if (fits) {
    primary.writeBigUInt64LE(BigInt(lastSector), header.alternate);
    primary.writeBigUInt64LE(BigInt(lastUsable), header.lastUsable);
    if (protectiveOnly && !ends) guardWholeDisk(start, lastSector);
  }
  primary.writeUInt32LE(crc32(entries.bytes), header.entriesCrc);
  seal(primary);
  const rest = { start, ids: changed, ...(grown && { growth: grown }) };
  if (!fits) return rest;

  const backup = Buffer.alloc((entrySectors + 1) * sectorBytes);
  entries.bytes.copy(backup);
  const mirror = backup.subarray(entrySectors * sectorBytes);
  primary.copy(mirror);
  mirror.writeBigUInt64LE(BigInt(lastSector), header.here);
  mirror.writeBigUInt64LE(1n, header.alternate);
  mirror.writeBigUInt64LE(BigInt(lastSector - entrySectors), header.entriesAt);
  seal(mirror);
  return { ...rest, backup: { offsetBytes: (lastSector - entrySectors) * sectorBytes, bytes: backup } };
}

/** Entries as they lie in the start: to be changed in place. */
interface Entries {
  readonly bytes: Buffer;
  readonly entryBytes: number;
}

function headerOf(start: Buffer): Buffer | undefined {
  const sector = start.subarray(sectorBytes, 2 * sectorBytes);
  if (sector.length < sectorBytes || sector.toString("latin1", 0, 8) !== "EFI PART") return undefined;
  const size = sector.readUInt32LE(header.size);
  if (size < 92 || size > sectorBytes || sector.readBigUInt64LE(header.here) !== 1n) return undefined;
  return sector.readUInt32LE(header.crc) === checksum(sector) ? sector : undefined;
}

function entriesOf(start: Buffer, primary: Buffer): Entries | undefined {
  const at = Number(primary.readBigUInt64LE(header.entriesAt)) * sectorBytes;
  const entryBytes = primary.readUInt32LE(header.entryBytes);
  const lengthBytes = primary.readUInt32LE(header.count) * entryBytes;
  const sane = entryBytes >= 128 && entryBytes % 128 === 0 && lengthBytes > 0 && lengthBytes <= mostEntryBytes;
  if (!sane || at < 2 * sectorBytes || at + lengthBytes > start.length) return undefined;
  const bytes = start.subarray(at, at + lengthBytes);
  return primary.readUInt32LE(header.entriesCrc) === crc32(bytes) ? { bytes, entryBytes } : undefined;
}

interface Used {
  readonly number: number;
  readonly bytes: Buffer;
  readonly first: number;
  readonly last: number;
}

function used({ bytes, entryBytes }: Entries): readonly Used[] {
  return Array.from({ length: bytes.length / entryBytes }, (_, index) => ({
    number: index + 1,
    bytes: bytes.subarray(index * entryBytes, (index + 1) * entryBytes),
  }))
    .filter((each) => each.bytes.subarray(0, 16).some((byte) => byte !== 0))
    .map((each) => ({
      ...each,
      first: Number(each.bytes.readBigUInt64LE(entry.first)),
      last: Number(each.bytes.readBigUInt64LE(entry.last)),
    }));
}

function grow(entries: Entries, growth: Growth, usableBytes: number): NonNullable<CardTable["growth"]> {
  const all = used(entries);
  const found = all.find(({ number }) => number === growth.partitionNumber);
  if (
    found === undefined ||
    found.first * sectorBytes !== growth.offsetBytes ||
    (found.last + 1 - found.first) * sectorBytes !== growth.lengthBytes
  )
    return { whyNot: "the image's partition table has it elsewhere" };
  if (all.some(({ first }) => first > found.first)) return { whyNot: "it is not the last partition" };
  const lengthBytes = grownEnd(Math.min(usableBytes, growth.endBytes ?? usableBytes)) - growth.offsetBytes;
  if (lengthBytes <= growth.lengthBytes) return { lengthBytes: growth.lengthBytes };
  found.bytes.writeBigUInt64LE(BigInt(found.first + lengthBytes / sectorBytes - 1), entry.last);
  return { lengthBytes };
}

function setUuids(entries: Entries, ids: readonly PartitionIdChange[]): readonly PartitionIdChange[] {
  const all = used(entries);
  return ids.filter(({ partitionNumber, imageUuid, cardUuid }) => {
    const found = all.find(({ number }) => number === partitionNumber);
    const wanted = guidBytes(cardUuid);
    const present = guidBytes(imageUuid);
    if (found === undefined || wanted === undefined || present === undefined) return false;
    if (!found.bytes.subarray(entry.uuid, entry.uuid + 16).equals(present)) return false;
    wanted.copy(found.bytes, entry.uuid);
    return true;
  });
}

/** A GUID in its mixed byte order (UEFI 2.10, appendix A); undefined for other text. */
function guidBytes(text: string): Buffer | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return undefined;
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** The boot record claims the disk up to its last sector, or as far as it can count (UEFI 2.10, table 5.4). */
function guardWholeDisk(start: Buffer, lastSector: number): void {
  const [guard] = slotsOf(start);
  if (guard !== undefined) start.writeUInt32LE(Math.min(lastSector, 0xffffffff), slotAt(guard.number) + 12);
}

function seal(sector: Buffer): void {
  sector.writeUInt32LE(checksum(sector), header.crc);
}

/** Of the header, as if its own checksum were zero. */
function checksum(sector: Buffer): number {
  const summed = Buffer.from(sector.subarray(0, sector.readUInt32LE(header.size)));
  return crc32(summed.fill(0, header.crc, header.crc + 4));
}
