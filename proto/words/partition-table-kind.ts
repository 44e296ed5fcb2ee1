import { PartitionTable as WireTable } from "../gen/pallet/v1/image.ts";
import { wireWords } from "./wire-words.ts";

/** Which partition table an image has; see pallet.v1.PartitionTable. */
export type PartitionTableKind = "mbr" | "gpt";

/** Partition tables as they travel. */
export const partitionTableKinds = wireWords<PartitionTableKind, WireTable>({
  mbr: WireTable.PARTITION_TABLE_MBR,
  gpt: WireTable.PARTITION_TABLE_GPT,
});
