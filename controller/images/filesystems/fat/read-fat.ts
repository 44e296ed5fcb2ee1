import type { FileHandle } from "node:fs/promises";
import { Failure } from "../../../../proto/failure.ts";
import { clusterOffset, type FatGeometry, type FatNode, type FatVolume } from "./fat-volume.ts";
import { parseFatFolder } from "./parse-fat-folder.ts";
import { maximumTableBytes, parseFatGeometry } from "./parse-fat-geometry.ts";
import { chainFrom, decodeTable } from "./parse-fat-table.ts";

/** A FAT filesystem inside a file. */
export interface FatPlace {
  readonly file: FileHandle;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const maximumDepth = 64;
/** Boot partitions hold a few hundred files; input from outside needs a bound. */
const maximumEntries = 200_000;
/** A folder has at most 65,536 entries of 32 bytes (FAT specification, section 6); a chain of clusters can be any file. */
const maximumFolderBytes = 65_536 * 32;

/**
 * Reads what is in a FAT filesystem, but not the content of files. Throws Failure `image-damaged` where it contradicts
 * itself: clusters outside it, or that two files have.
 */
export async function readFat(place: FatPlace): Promise<FatVolume> {
  const geometry = parseFatGeometry(await readAt(place, 0, 512), place.lengthBytes);
  if (geometry.tableBytes > maximumTableBytes) {
    throw damaged(`its allocation table has ${geometry.tableBytes} bytes, more than ${maximumTableBytes}`);
  }
  const table = decodeTable(geometry, await readAt(place, geometry.tableOffsets[0] ?? 0, geometry.tableBytes));
  const taken = new Set<number>();
  let entries = 0;

  const claim = (first: number): number[] => {
    const clusters = chainFrom(table, first);
    for (const cluster of clusters) {
      if (taken.has(cluster)) throw damaged(`two files share cluster ${cluster}`);
      taken.add(cluster);
    }
    return clusters;
  };
  const readFolder = async (clusters: readonly number[], depth: number): Promise<FatNode[]> => {
    if (clusters.length * geometry.clusterBytes > maximumFolderBytes) {
      throw damaged(`a folder has more than ${maximumFolderBytes} bytes`);
    }
    const parts = [];
    for (const cluster of clusters) {
      parts.push(await readAt(place, clusterOffset(geometry, cluster), geometry.clusterBytes));
    }
    return nodesOf(Buffer.concat(parts), depth);
  };
  const nodesOf = async (bytes: Buffer, depth: number): Promise<FatNode[]> => {
    if (depth > maximumDepth) throw damaged("its folders are nested too deep");
    const nodes: FatNode[] = [];
    for (const entry of parseFatFolder(bytes, geometry.bits)) {
      if (++entries > maximumEntries) throw damaged(`it has more than ${maximumEntries} files`);
      const clusters = entry.firstCluster === 0 ? [] : claim(entry.firstCluster);
      if (clusters.length * geometry.clusterBytes < entry.sizeBytes)
        throw damaged("a file is longer than its clusters");
      if (entry.kind === "folder") nodes.push({ entry, clusters, children: await readFolder(clusters, depth + 1) });
      else nodes.push({ entry, clusters });
    }
    return nodes;
  };

  const { rootArea, rootCluster } = geometry;
  const rootClusters = rootCluster === undefined ? [] : claim(rootCluster);
  const children =
    rootArea === undefined
      ? await readFolder(rootClusters, 0)
      : await nodesOf(await readAt(place, rootArea.offsetBytes, rootArea.lengthBytes), 0);
  return { geometry, table, rootClusters, children };
}

/** Bytes of the filesystem; throws Failure `image-damaged` where the file ends before them. */
export async function readAt(place: FatPlace, offsetBytes: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  const { bytesRead } = await place.file.read(bytes, 0, lengthBytes, place.offsetBytes + offsetBytes);
  if (bytesRead < lengthBytes || offsetBytes + lengthBytes > place.lengthBytes) throw damaged("it is cut short");
  return bytes;
}

/** The content of a file, in pieces of whole clusters but for the last. */
export async function* readContent(
  place: FatPlace,
  geometry: FatGeometry,
  { clusters, entry }: FatNode,
): AsyncGenerator<Buffer> {
  let left = entry.sizeBytes;
  for (const cluster of clusters) {
    if (left <= 0) return;
    yield await readAt(place, clusterOffset(geometry, cluster), Math.min(left, geometry.clusterBytes));
    left -= geometry.clusterBytes;
  }
}

function damaged(what: string): Failure {
  return new Failure("image-damaged", `a FAT filesystem of the image is damaged: ${what}`);
}
