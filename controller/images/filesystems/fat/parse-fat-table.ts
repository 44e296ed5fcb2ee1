import { Failure } from "../../../../proto/failure.ts";
import type { FatGeometry } from "./fat-volume.ts";

/** What the allocation table says of a cluster: free, the last of its file, unusable; otherwise the next cluster. */
export const clusterState = { free: 0, end: 0x0fffffff, bad: 0x0ffffff7 } as const;

type Shape = Pick<FatGeometry, "bits" | "clusterCount">;

/** The allocation table as one number a cluster, counted as on the disk: the first one is 2. */
export function decodeTable({ bits, clusterCount }: Shape, bytes: Buffer): Uint32Array {
  const table = new Uint32Array(clusterCount + 2);
  const bad = bits === 12 ? 0xff7 : bits === 16 ? 0xfff7 : clusterState.bad;
  for (let cluster = 0; cluster < table.length; cluster++) {
    const value = readEntry(bits, bytes, cluster);
    table[cluster] = value === bad ? clusterState.bad : value > bad ? clusterState.end : value;
  }
  return table;
}

/** The bytes of an allocation table; those of `before` stay if they mean the same (there are eight end markers). */
export function encodeTable(shape: Shape, table: Uint32Array, before: Buffer): Buffer {
  const bytes = Buffer.from(before);
  const said = decodeTable(shape, before);
  for (const [cluster, value] of table.entries()) {
    if (cluster >= 2 && said[cluster] !== value) writeEntry(shape.bits, bytes, cluster, value);
  }
  return bytes;
}

/** The clusters of a file or folder. Throws Failure `image-damaged` for a chain that leaves the table or never ends. */
export function chainFrom(table: Uint32Array, first: number): number[] {
  const clusters: number[] = [];
  for (let cluster = first; cluster !== clusterState.end; ) {
    if (cluster < 2 || cluster >= table.length || clusters.length >= table.length) {
      throw new Failure(
        "image-damaged",
        `a FAT filesystem of the image is damaged: the chain of cluster ${first} breaks`,
      );
    }
    clusters.push(cluster);
    cluster = table[cluster] ?? clusterState.free;
  }
  return clusters;
}

function readEntry(bits: number, bytes: Buffer, cluster: number): number {
  if (bits === 32) return bytes.readUInt32LE(cluster * 4) & 0x0fffffff;
  if (bits === 16) return bytes.readUInt16LE(cluster * 2);
  const pair = bytes.readUInt16LE(cluster + (cluster >> 1));
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
}

function writeEntry(bits: number, bytes: Buffer, cluster: number, value: number): void {
  if (bits === 32) {
    // The upper four bits are reserved and to be kept (section 4.1).
    const kept = bytes.readUInt32LE(cluster * 4) & 0xf0000000;
    bytes.writeUInt32LE((kept | value) >>> 0, cluster * 4);
  } else if (bits === 16) bytes.writeUInt16LE(value & 0xffff, cluster * 2);
  else {
    const at = cluster + (cluster >> 1);
    const pair = bytes.readUInt16LE(at);
    const low = value & 0xfff;
    bytes.writeUInt16LE(cluster % 2 === 0 ? (pair & 0xf000) | low : (pair & 0x000f) | (low << 4), at);
  }
}
