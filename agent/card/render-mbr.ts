import type { Growth } from "../../proto/operation/operation-spec.ts";
import { sectorBytes } from "../../proto/pack/image-bounds.ts";
import type { PartitionIdChange } from "../../proto/system/installed-system.ts";
import type { CardTable, TableChanges } from "./table-changes.ts";
import { diskIdAt, grownEnd, setSlotSectors, slotsOf } from "./table-layout.ts";

/** A boot record counts sectors in 32 bits. */
const mostSectors = 0xffffffff;

/** An MBR, fitted to a card. */
export function renderMbr(image: Buffer, { diskBytes, growth, ids = [] }: TableChanges): CardTable {
  const start = Buffer.from(image);
  const grown = growth && grow(start, growth, diskBytes);
  return { start, ...(grown && { growth: grown }), ids: setDiskId(start, ids) };
}

function grow(start: Buffer, growth: Growth, diskBytes: number): NonNullable<CardTable["growth"]> {
  const slots = slotsOf(start);
  const slot = slots.find(({ number }) => number === growth.partitionNumber);
  if (growth.partitionNumber > 4) return { whyNot: "it is a logical partition" };
  if (
    slot === undefined ||
    slot.startSector * sectorBytes !== growth.offsetBytes ||
    slot.sectors * sectorBytes !== growth.lengthBytes
  )
    return { whyNot: "the image's partition table has it elsewhere" };
  if (slots.some(({ startSector }) => startSector > slot.startSector))
    return { whyNot: "it is not the last partition" };
  const bound = Math.min(diskBytes, growth.endBytes ?? diskBytes, mostSectors * sectorBytes);
  const lengthBytes = grownEnd(bound) - growth.offsetBytes;
  if (lengthBytes <= growth.lengthBytes) return { lengthBytes: growth.lengthBytes };
  setSlotSectors(start, slot, lengthBytes / sectorBytes);
  return { lengthBytes };
}

/** The disk's id is what the PARTUUIDs begin with, so they all change, or none. */
function setDiskId(start: Buffer, ids: readonly PartitionIdChange[]): readonly PartitionIdChange[] {
  const [first] = ids;
  const present = start.readUInt32LE(diskIdAt).toString(16).padStart(8, "0");
  const wanted = /^([0-9a-f]{8})-[0-9a-f]{2}$/.exec(first?.cardUuid ?? "")?.[1];
  if (first === undefined || wanted === undefined || !ids.every(({ imageUuid }) => imageUuid.startsWith(`${present}-`)))
    return [];
  start.writeUInt32LE(Number.parseInt(wanted, 16), diskIdAt);
  return ids;
}
