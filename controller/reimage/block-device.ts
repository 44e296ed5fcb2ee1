/** A block device of a node, as its agent reports it. The words are those of pallet.v1.BlockDevice; sizes in bytes. */
export interface BlockDevice {
  readonly name: string;
  readonly path: string;
  /** lsblk's TYPE: "disk", "part", "loop", "crypt", ... */
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
