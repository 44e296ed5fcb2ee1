/** A block device of this node: what lsblk(8) and blkid(8) say of it. The words are those of pallet.v1.BlockDevice. */
export interface BlockDevice {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly sizeBytes: number;
  /** "dos", "gpt" or empty. */
  readonly partitionTable: string;
  readonly partitionTableUuid: string;
  readonly partitionUuid: string;
  /** 0 when this is not a partition. */
  readonly partitionNumber: number;
  readonly startBytes: number;
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
  readonly mountpoints: readonly string[];
  readonly readOnly: boolean;
  readonly removable: boolean;
  readonly model: string;
  readonly serial: string;
  readonly cid: string;
  readonly transport: string;
  readonly logicalSectorBytes: number;
  readonly children: readonly BlockDevice[];
}
