import { crc32 } from "node:zlib";
import { Failure } from "../../../proto/failure.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { type PartitionTable, type ReadBytes, refuseMisplaced, type TableEntry } from "./partition-table.ts";

const signature = "EFI PART";
const unusedType = "00000000-0000-0000-0000-000000000000";
/** Tables have 128 entries of 128 bytes; input from outside still needs a bound. */
const maximumTableBytes = 1024 * 1024;

/**
 * Parses the primary GUID partition table (UEFI 2.10, section 5.3) with both checksums. A damaged primary is not
 * replaced by the backup at the end of the disk: in an image that is a sign of a bad copy, and firmware reads the
 * primary. The backup may be missing: an image may end behind its last partition, before the end of the disk that it was
 * made for. Throws Failure `image-damaged`, or `unsupported` for an empty table or sectors that are not 512 bytes.
 */
export function parseGpt(read: ReadBytes, imageBytes: number): PartitionTable {
  const header = readHeader(read);
  const from = header.readBigUInt64LE(40);
  const to = header.readBigUInt64LE(48);
  const tableOffset = toBytes(header.readBigUInt64LE(72), imageBytes, "the table of partitions");
  const count = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes % 128 !== 0 || count * entryBytes > maximumTableBytes) {
    throw damaged("its sizes are impossible", "at least 128 bytes an entry", `${count} entries of ${entryBytes} bytes`);
  }
  const table = read(tableOffset, count * entryBytes);
  const sum = header.readUInt32LE(88);
  if (table.length < count * entryBytes || crc32(table) !== sum) {
    throw damaged("the checksum of its entries is wrong", hexadecimal(sum), hexadecimal(crc32(table)));
  }

  const entries: TableEntry[] = [];
  for (let position = 0; position < count; position++) {
    const entry = table.subarray(position * entryBytes, (position + 1) * entryBytes);
    const type = guidAt(entry, 0);
    if (type === unusedType) continue;
    const number = position + 1;
    const first = entry.readBigUInt64LE(32);
    const last = entry.readBigUInt64LE(40);
    if (last < first) throw damaged(`partition ${number} ends before it starts`, `sector ${first} or later`, `${last}`);
    const offsetBytes = toBytes(first, imageBytes, `partition ${number}`);
    const endBytes = toBytes(last + 1n, imageBytes, `the end of partition ${number}`);
    const partitionUuid = guidAt(entry, 16);
    const [partitionLabel = ""] = entry.toString("utf16le", 56, 128).split("\0", 1);
    entries.push({
      ...{ number, offsetBytes, lengthBytes: endBytes - offsetBytes, type, partitionUuid },
      ...(partitionLabel !== "" && { partitionLabel }),
    });
  }
  if (entries.length === 0) throw new Failure("unsupported", "the image's partition table is empty");
  const usableFrom = Math.max(toBytes(from, imageBytes, "the first usable sector"), 2 * sectorBytes);
  // Past the image when that was cut behind its last partition: then all of them are in the image, as was seen above.
  const usableTo = Number((to + 1n) * BigInt(sectorBytes));
  refuseMisplaced(entries, usableFrom, usableTo, "the area for partitions");
  return { kind: "gpt", entries };
}

function readHeader(read: ReadBytes): Buffer {
  const sector = read(sectorBytes, sectorBytes);
  if (sector.length < sectorBytes || sector.toString("latin1", 0, 8) !== signature) {
    if (read(4096, 8).toString("latin1") === signature) {
      throw new Failure(
        "unsupported",
        "the image is of a disk with sectors of 4096 bytes; SD cards and USB disks have sectors of 512",
      );
    }
    throw damaged("its header is missing", signature, JSON.stringify(sector.toString("latin1", 0, 8)));
  }
  const headerBytes = sector.readUInt32LE(12);
  if (headerBytes < 92 || headerBytes > sectorBytes) {
    throw damaged("its header has an impossible size", "92 to 512 bytes", `${headerBytes} bytes`);
  }
  const sum = sector.readUInt32LE(16);
  const summed = Buffer.from(sector.subarray(0, headerBytes)).fill(0, 16, 20);
  if (crc32(summed) !== sum) {
    throw damaged("the checksum of its header is wrong", hexadecimal(sum), hexadecimal(crc32(summed)));
  }
  if (sector.readBigUInt64LE(24) !== 1n) {
    throw damaged("its header gives another location", "sector 1", `sector ${sector.readBigUInt64LE(24)}`);
  }
  return sector;
}

/** A sector number from outside as an offset in the image. */
function toBytes(sector: bigint, imageBytes: number, what: string): number {
  const bytes = sector * BigInt(sectorBytes);
  if (bytes > BigInt(imageBytes)) {
    throw damaged(`${what} is past the end of the image`, `at most byte ${imageBytes}`, `byte ${bytes}`);
  }
  return Number(bytes);
}

/** A GUID in its mixed byte order (UEFI 2.10, appendix A), lower case. */
function guidAt(bytes: Buffer, offset: number): string {
  const swapped = Buffer.from(bytes.subarray(offset, offset + 16));
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function damaged(what: string, expected: string, found: string): Failure {
  return new Failure("image-damaged", `the image's GUID partition table is damaged: ${what}`, { expected, found });
}

function hexadecimal(sum: number): string {
  return `0x${sum.toString(16).padStart(8, "0")}`;
}
