import { SECTOR_BYTES } from "../../../proto/pack/image-bounds.ts";

/** Bytes of boot code at the start of a boot record (UEFI 2.10, table 5.1); what follows it is the disk's id. */
export const BOOT_CODE_BYTES = 440;

/** Bytes of a boot record up to the end of the disk's id, with which PARTUUIDs begin. */
export const DISK_ID_END = BOOT_CODE_BYTES + 4;

/** Where one of the four slots of a boot record starts; positions count from 0. */
export function slotAt(position: number): number {
  return 446 + 16 * position;
}

/** Where in a slot the first sector and the number of sectors stand, each 32 bits, little-endian (UEFI 2.10, table 5.2). */
export const SLOT_START_AT = 8;
export const SLOT_SECTORS_AT = 12;

/** Whether a sector ends as boot records do; those of FAT filesystems do, too. */
export function hasBootSignature(sector: Buffer): boolean {
  return sector.length >= SECTOR_BYTES && sector.readUInt16LE(SECTOR_BYTES - 2) === 0xaa55;
}
