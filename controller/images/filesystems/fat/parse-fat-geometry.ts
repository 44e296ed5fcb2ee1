import { Failure } from "../../../../proto/failure.ts";
import type { FatGeometry } from "./fat-volume.ts";

/**
 * Most bytes of an allocation table that is read into memory: of 16 million clusters, or a terabyte of the usual ones. No
 * boot partition has more, but a boot sector can say so.
 */
export const maximumTableBytes = 64 * 1024 * 1024;

/**
 * Parses the boot sector of a FAT filesystem ("Microsoft FAT Specification", 2005, section 3; which of the three kinds
 * it is, as Linux decides). Throws Failure `image-damaged` where its numbers contradict each other or its partition.
 *
 * @param sector the first 512 bytes
 * @param partitionBytes room for the filesystem
 */
export function parseFatGeometry(sector: Buffer, partitionBytes: number): FatGeometry {
  if (sector.length < 512 || sector.readUInt16LE(510) !== 0xaa55) throw damaged("its boot sector has no signature");
  const sectorBytes = sector.readUInt16LE(11);
  const clusterBytes = sectorBytes * sector.readUInt8(13);
  const reservedSectors = sector.readUInt16LE(14);
  const copies = sector.readUInt8(16);
  const rootEntries = sector.readUInt16LE(17);
  const sectors = sector.readUInt16LE(19) || sector.readUInt32LE(32);
  const isFat32 = sector.readUInt16LE(22) === 0;
  const tableBytes = (sector.readUInt16LE(22) || sector.readUInt32LE(36)) * sectorBytes;

  if (![512, 1024, 2048, 4096].includes(sectorBytes)) throw damaged(`its sectors have ${sectorBytes} bytes`);
  if (!isPowerOfTwo(clusterBytes)) throw damaged(`its clusters have ${clusterBytes} bytes`);
  if (reservedSectors === 0 || copies === 0 || copies > 4 || tableBytes === 0)
    throw damaged("it has no allocation table");
  if (sectors * sectorBytes > partitionBytes)
    throw damaged(`it is larger (${sectors * sectorBytes} bytes) than its partition (${partitionBytes} bytes)`);

  const tablesAt = reservedSectors * sectorBytes;
  const rootAt = tablesAt + copies * tableBytes;
  const rootBytes = Math.ceil((rootEntries * 32) / sectorBytes) * sectorBytes;
  const dataOffset = rootAt + rootBytes;
  const clusterCount = Math.floor((sectors * sectorBytes - dataOffset) / clusterBytes);
  if (clusterCount < 1) throw damaged("it has no clusters");
  const bits = isFat32 ? 32 : clusterCount < 4085 ? 12 : 16;
  if (((clusterCount + 2) * bits) / 8 > tableBytes) throw damaged("its allocation table is too short for its clusters");
  if (isFat32 === rootEntries > 0) throw damaged("its root folder does not match the type of its allocation table");

  const backup = sector.readUInt16LE(50);
  const info = sector.readUInt16LE(48);
  const isSectorBefore = (number: number) => number > 0 && number < reservedSectors;
  return {
    bits,
    clusterBytes,
    clusterCount,
    tableOffsets: Array.from({ length: copies }, (_, copy) => tablesAt + copy * tableBytes),
    tableBytes,
    dataOffset,
    identityOffset: isFat32 ? 67 : 39,
    bootOffsets: [0, ...(isFat32 && isSectorBefore(backup) ? [backup * sectorBytes] : [])],
    ...(isFat32
      ? { rootCluster: sector.readUInt32LE(44), ...(isSectorBefore(info) && { infoOffset: info * sectorBytes }) }
      : { rootArea: { offsetBytes: rootAt, lengthBytes: rootEntries * 32 } }),
  };
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

function damaged(what: string): Failure {
  return new Failure("image-damaged", `a FAT filesystem of the image cannot be used: ${what}`);
}
