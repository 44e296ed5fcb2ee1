/** The disk that is meant: one that is another by now is refused. See pallet.v1.DiskToRead. */
export interface MeantDisk {
  /** Absolute path on the node. */
  readonly device: string;
  /** As the node told it. */
  readonly sizeBytes: number;
  /** As the node told it; empty for any. */
  readonly serial: string;
  /** As the node told it; empty for any. */
  readonly cid: string;
}
