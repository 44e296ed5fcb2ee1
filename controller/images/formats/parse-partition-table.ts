import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import { parseGpt } from "./parse-gpt.ts";
import { isProtective, parseMbr } from "./parse-mbr.ts";
import type { PartitionTable, ReadBytes } from "./partition-table.ts";

/** Parses the partition table of an image, whichever kind it is. Throws Failure as the parsers of the two kinds do. */
export function parsePartitionTable(read: ReadBytes, imageBytes: number): PartitionTable {
  return isProtective(read(0, sectorBytes)) ? parseGpt(read, imageBytes) : parseMbr(read, imageBytes);
}
