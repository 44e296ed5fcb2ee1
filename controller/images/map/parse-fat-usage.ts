import { Failure } from "../../../proto/failure.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { maximumTableBytes, parseFatGeometry } from "../filesystems/fat/parse-fat-geometry.ts";
import { clusterState, decodeTable } from "../filesystems/fat/parse-fat-table.ts";
import type { ReadBytes } from "../formats/partition-table.ts";
import { createRunCollector } from "./extents.ts";
import type { FilesystemFrame } from "./parse-dumpe2fs.ts";
import type { FilesystemUsage } from "./unused-map.ts";

const pieceBytes = 1024 * 1024;

/**
 * What a FAT12, FAT16 or FAT32 filesystem has free, from its boot sector and allocation table ("Microsoft FAT
 * Specification", 2005, sections 3 and 4). Throws Failure `unsupported` when the table does not count (not unmounted
 * cleanly, its copies differ), and `image-damaged` when it contradicts the rest.
 *
 * @param read reads the image
 */
export function parseFatUsage(read: ReadBytes, frame: FilesystemFrame): FilesystemUsage {
  const { offsetBytes, lengthBytes, chunkBytes } = frame;
  const bootSector = read(offsetBytes, sectorBytes);
  const geometry = parseFatGeometry(bootSector, lengthBytes);
  const { bits, clusterBytes, clusterCount, tableBytes, tableOffsets, dataOffset } = geometry;
  if (tableBytes > maximumTableBytes) throw unsupported(`its allocation table has ${tableBytes} bytes`);
  // Linux and Windows mark a mounted filesystem so, in the bytes that DOS reserved.
  if ((bootSector.readUInt8(bits === 32 ? 65 : 37) & 1) !== 0) throw unsupported("it was not unmounted cleanly");
  if (bits === 32 && (bootSector.readUInt16LE(40) & 0x80) !== 0)
    throw unsupported("its allocation table has no mirror");

  const [firstTable = 0, ...mirrors] = tableOffsets.map((offset) => offsetBytes + offset);
  const bytes = read(firstTable, tableBytes);
  if (bytes.length < tableBytes) throw unsupported("its allocation table extends past the image");
  for (const mirror of mirrors) {
    for (let at = 0; at < tableBytes; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      if (!piece.equals(read(mirror + at, piece.length)))
        throw unsupported("the copies of its allocation table differ");
    }
  }
  // Section 4.1: the entry of cluster 1 says whether it was unmounted (highest bit) and without errors (next).
  const marks = bits === 16 ? bytes.readUInt16LE(2) >> 14 : bits === 32 ? (bytes.readUInt32LE(4) >> 26) & 3 : 3;
  if (marks !== 3) throw unsupported("it was not unmounted cleanly");

  const table = decodeTable(geometry, bytes);
  const runs = createRunCollector(chunkBytes);
  const data = offsetBytes + dataOffset;
  for (let cluster = 2; cluster < table.length; cluster += 1) {
    if (table[cluster] !== clusterState.free) continue;
    const start = data + (cluster - 2) * clusterBytes;
    runs.add(start, start + clusterBytes);
  }
  return { start: offsetBytes, end: data + clusterCount * clusterBytes, free: runs.runs() };
}

function unsupported(what: string): Failure {
  return new Failure("unsupported", `the free space of its FAT filesystem cannot be trusted: ${what}`);
}
