import { sectorBytes } from "../../../proto/pack/image-bounds.ts";

/** Bytes of boot code at the start of a boot record (UEFI 2.10, table 5.1); what follows it is the disk's id. */
export const bootCodeBytes = 440;

/** Bytes of a boot record up to the end of the disk's id, with which PARTUUIDs begin. */
export const diskIdEnd = bootCodeBytes + 4;

/** Where one of the four slots of a boot record starts; positions count from 0. */
export function slotAt(position: number): number {
  return 446 + 16 * position;
}

/**
 * Where in a slot the first sector and the number of sectors stand, each 32 bits, little-endian (UEFI 2.10, table 5.2).
 */
export const slotStartAt = 8;
export const slotSectorsAt = 12;

/** Whether a sector ends as boot records do; those of FAT filesystems do, too. */
export function hasBootSignature(sector: Buffer): boolean {
  return sector.length >= sectorBytes && sector.readUInt16LE(sectorBytes - 2) === 0xaa55;
}
