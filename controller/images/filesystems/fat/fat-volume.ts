/** Where the parts of a FAT filesystem lie. Offsets and lengths are in bytes, from the filesystem's start. */
export interface FatGeometry {
  /** Bits of an entry of the allocation table. */
  readonly bits: 12 | 16 | 32;
  readonly clusterBytes: number;
  readonly clusterCount: number;
  /** Where each copy of the allocation table starts. */
  readonly tableOffsets: readonly number[];
  readonly tableBytes: number;
  /** FAT12 and FAT16: the root folder has a place of its own. */
  readonly rootArea?: { readonly offsetBytes: number; readonly lengthBytes: number };
  /** FAT32: the root folder is a chain of clusters, and this is the first. */
  readonly rootCluster?: number;
  /** Where cluster 2, the first one, starts. */
  readonly dataOffset: number;
  /** Where the boot sectors are: the first, and the backup of a FAT32. */
  readonly bootOffsets: readonly number[];
  /** Within a boot sector: volume id (4 bytes), and after it the label (11 bytes). */
  readonly identityOffset: number;
  /** FAT32: where the count of free clusters is kept. */
  readonly infoOffset?: number;
}

/** An entry of a folder: its 32 bytes and those of the long name before it, as they are on the disk. */
export interface FatEntry {
  readonly raw: Buffer;
  /** The name without regard to case, by which entries of two folders correspond. */
  readonly key: string;
  readonly kind: "file" | "folder" | "label";
  readonly firstCluster: number;
  readonly sizeBytes: number;
}

/** A file or a folder and the clusters of its content, in order. */
export interface FatNode {
  readonly entry: FatEntry;
  readonly clusters: readonly number[];
  /** Of a folder: what is in it. */
  readonly children?: readonly FatNode[];
}

/** Everything that is in a FAT filesystem. */
export interface FatVolume {
  readonly geometry: FatGeometry;
  /** The allocation table by cluster, as `decodeTable` gives it. */
  readonly table: Uint32Array;
  /** Clusters of the root folder; none where it has a place of its own. */
  readonly rootClusters: readonly number[];
  readonly children: readonly FatNode[];
}

/** Where a cluster starts, in bytes from the filesystem's start. */
export function clusterOffset({ dataOffset, clusterBytes }: FatGeometry, cluster: number): number {
  return dataOffset + (cluster - 2) * clusterBytes;
}
