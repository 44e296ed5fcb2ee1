/**
 * A block device of a node: what lsblk(8) and blkid(8) say of it. The words are those of pallet.v1.BlockDevice, where
 * each field is described; sizes and offsets in bytes.
 */
export interface BlockDevice {
  /** The kernel's name, "mmcblk0p1". */
  readonly name: string;
  /** Absolute path, "/dev/mmcblk0p1". */
  readonly path: string;
  /** lsblk's TYPE: "disk", "part", "loop", "crypt", … */
  readonly type: string;
  readonly sizeBytes: number;
  /** "dos", "gpt" or empty. */
  readonly partitionTable: string;
  readonly partitionTableUuid: string;
  readonly partitionUuid: string;
  /** The name that a GPT gives the partition. */
  readonly partitionLabel: string;
  /** 0 when this is not a partition. */
  readonly partitionNumber: number;
  readonly startBytes: number;
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
  /** "[SWAP]" for active swap. */
  readonly mountpoints: readonly string[];
  readonly readOnly: boolean;
  readonly removable: boolean;
  readonly model: string;
  readonly serial: string;
  readonly cid: string;
  readonly transport: string;
  readonly logicalSectorBytes: number;
  /** Partitions, and what else is stacked on this device. */
  readonly children: readonly BlockDevice[];
}
