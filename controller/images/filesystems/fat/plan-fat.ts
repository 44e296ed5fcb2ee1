import { Failure } from "../../../../proto/failure.ts";
import type { FatNode, FatVolume } from "./fat-volume.ts";
import { clusterState } from "./parse-fat-table.ts";

/** A file or folder of the new content, and the clusters that it gets. */
export interface PlacedNode {
  readonly node: FatNode;
  readonly clusters: readonly number[];
  readonly children?: readonly PlacedNode[];
}

/** Where everything goes. */
export interface FatPlan {
  /** Clusters of the root folder; none where it has a place of its own. */
  readonly rootClusters: readonly number[];
  readonly children: readonly PlacedNode[];
  /** The whole allocation table. */
  readonly table: Uint32Array;
}

interface Demand {
  readonly needed: number;
  readonly clusters: number[];
}

/**
 * Plans how the content of one FAT filesystem is in another: what has the same path in both keeps its clusters, as many
 * as it still needs; what grows or is new takes the free ones, lowest first. Throws Failure `unsupported` without room.
 */
export function planFat(old: FatVolume, next: FatVolume): FatPlan {
  const { geometry } = old;
  const demands: Demand[] = [];
  const clustersOf = (bytes: number) => Math.ceil(bytes / geometry.clusterBytes);
  const keep = (needed: number, had: readonly number[] = []): number[] => {
    const clusters = had.slice(0, needed);
    demands.push({ needed, clusters });
    return clusters;
  };
  const place = (nodes: readonly FatNode[], before: readonly FatNode[]): PlacedNode[] => {
    const had = new Map(before.map((node) => [node.entry.key, node]));
    return nodes.map((node) => {
      const counterpart = had.get(node.entry.key);
      // If two entries have one name, as in a damaged filesystem, one keeps the clusters.
      had.delete(node.entry.key);
      const same = counterpart?.entry.kind === node.entry.kind ? counterpart : undefined;
      if (node.children === undefined)
        return { node, clusters: keep(clustersOf(node.entry.sizeBytes), same?.clusters) };
      const clusters = keep(Math.max(1, clustersOf(folderBytes(node.children) + dotBytes)), same?.clusters);
      return { node, clusters, children: place(node.children, same?.children ?? []) };
    });
  };

  const rootBytes = folderBytes(next.children);
  const { rootArea } = geometry;
  if (rootArea !== undefined && rootBytes > rootArea.lengthBytes)
    throw noRoom(`its root folder has room for ${rootArea.lengthBytes / 32} entries`);
  const rootClusters = rootArea === undefined ? keep(Math.max(1, clustersOf(rootBytes)), old.rootClusters) : [];
  const children = place(next.children, old.children);
  allocate(demands, old.table, geometry.clusterBytes);

  const table = old.table.map((state) => (state === clusterState.bad ? state : clusterState.free));
  for (const { clusters } of demands) {
    for (const [position, cluster] of clusters.entries()) table[cluster] = clusters[position + 1] ?? clusterState.end;
  }
  return { rootClusters, children, table };
}

const dotBytes = 64;

function folderBytes(nodes: readonly FatNode[]): number {
  return nodes.reduce((sum, { entry }) => sum + entry.raw.length, 0);
}

/** Gives every entry the clusters that it still lacks. */
function allocate(demands: readonly Demand[], old: Uint32Array, clusterBytes: number): void {
  const kept = new Set(demands.flatMap(({ clusters }) => clusters));
  let candidate = 2;
  for (const { needed, clusters } of demands) {
    for (; clusters.length < needed; candidate++) {
      if (candidate >= old.length) {
        const total = demands.reduce((sum, demand) => sum + demand.needed, 0) * clusterBytes;
        throw noRoom(`its files take ${total} bytes, but there is room for ${(old.length - 2) * clusterBytes}`);
      }
      if (old[candidate] !== clusterState.bad && !kept.has(candidate)) clusters.push(candidate);
    }
  }
}

function noRoom(what: string): Failure {
  return new Failure("unsupported", `the FAT filesystem of the old image is too small for the new content: ${what}`);
}
