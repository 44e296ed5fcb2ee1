import { renderGpt } from "./render-gpt.ts";
import { renderMbr } from "./render-mbr.ts";
import type { CardTable, TableChanges } from "./table-changes.ts";
import { hasBootSignature, isProtectiveOnly, slotsOf } from "./table-layout.ts";

/**
 * The partition table of an image, fitted to the card that it is on: a GPT knows the card's end (UEFI 2.10, 5.3.2), the
 * last partition is longer if it is to grow, and ids are replaced. Of a table that is not understood nothing is changed:
 * whatever it is, the image had it.
 *
 * @param start the image's bytes before its first partition
 */
export function renderCardTable(start: Buffer, changes: TableChanges): CardTable {
  if (!hasBootSignature(start)) return untouched(start, changes);
  const slots = slotsOf(start);
  if (!slots.some(({ type, startSector }) => type === 0xee && startSector === 1)) return renderMbr(start, changes);
  return renderGpt(start, changes, isProtectiveOnly(slots)) ?? untouched(start, changes);
}

function untouched(start: Buffer, { growth }: TableChanges): CardTable {
  return {
    start,
    ids: [],
    ...(growth && { growth: { whyNot: "its partition table is not one that the agent knows" } }),
  };
}
