import { sectorBytes } from "../../proto/pack/image-bounds.ts";

/** One of the four slots of a boot record (UEFI 2.10, table 5.2). */
export interface Slot {
  readonly number: number;
  readonly type: number;
  readonly startSector: number;
  readonly sectors: number;
}

/** Where the disk's id is in a boot record. */
export const diskIdAt = 440;

/** Partitions end at a multiple of this, as they begin there. */
export const alignmentBytes = 1024 * 1024;

/** Where a slot starts; numbers count from 1. */
export function slotAt(number: number): number {
  return 446 + 16 * (number - 1);
}

/** Whether bytes start with a boot record, judged by its signature. */
export function hasBootSignature(bytes: Buffer): boolean {
  return bytes.length >= sectorBytes && bytes.readUInt16LE(sectorBytes - 2) === 0xaa55;
}

/** The slots in use. */
export function slotsOf(record: Buffer): readonly Slot[] {
  return [1, 2, 3, 4]
    .map((number) => ({
      number,
      type: record.readUInt8(slotAt(number) + 4),
      startSector: record.readUInt32LE(slotAt(number) + 8),
      sectors: record.readUInt32LE(slotAt(number) + 12),
    }))
    .filter(({ type, sectors }) => type !== 0 && sectors > 0);
}

/** Whether they only guard a GPT: a hybrid record has partitions of its own, and its guard ends before them. */
export function isProtectiveOnly(slots: readonly Slot[]): boolean {
  return slots.length === 1;
}

/**
 * Sets how many sectors a slot has, and its end in cylinders, heads and sectors as sfdisk(8) does it: of a geometry of
 * 255 heads and 63 sectors, and the last possible values where that does not reach.
 */
export function setSlotSectors(record: Buffer, { number, startSector }: Slot, sectors: number): void {
  const at = slotAt(number);
  const last = startSector + sectors - 1;
  const cylinder = Math.floor(last / (255 * 63));
  const beyond = cylinder > 1023;
  const head = beyond ? 254 : Math.floor(last / 63) % 255;
  const sector = beyond ? 63 : (last % 63) + 1;
  record.writeUInt8(head, at + 5);
  record.writeUInt8(sector | (((beyond ? 1023 : cylinder) >> 2) & 0xc0), at + 6);
  record.writeUInt8((beyond ? 1023 : cylinder) & 0xff, at + 7);
  record.writeUInt32LE(sectors, at + 12);
}

/** Where a partition ends that grows to a bound: aligned down. */
export function grownEnd(boundBytes: number): number {
  return Math.floor(boundBytes / alignmentBytes) * alignmentBytes;
}
