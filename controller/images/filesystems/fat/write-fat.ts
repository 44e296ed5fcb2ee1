import { clusterOffset, type FatVolume } from "./fat-volume.ts";
import { renderDotEntries, renderFatEntry } from "./parse-fat-folder.ts";
import { clusterState, encodeTable } from "./parse-fat-table.ts";
import { type PlacedNode, planFat } from "./plan-fat.ts";
import { type FatPlace, readAt, readContent, readFat } from "./read-fat.ts";

/**
 * Gives a FAT filesystem the content of another: its files and folders with all their attributes and times, and unless
 * `keepIdentity`, its volume id and label. What has the same path stays where it is. Nothing is mounted.
 *
 * Throws Failure `image-damaged`, or `unsupported` when there is too little room, with nothing written yet.
 */
export async function deriveFat(
  target: FatPlace,
  source: FatPlace,
  { keepIdentity, signal }: { readonly keepIdentity: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const old = await readFat(target);
  const next = await readFat(source);
  const plan = planFat(old, keepIdentity ? { ...next, children: withLabelOf(old, next) } : next);
  const { geometry } = old;
  const write = (bytes: Buffer, offsetBytes: number) =>
    target.file.write(bytes, 0, bytes.length, target.offsetBytes + offsetBytes);

  const writeFolder = async (bytes: Buffer, clusters: readonly number[]): Promise<void> => {
    const padded = Buffer.alloc(clusters.length * geometry.clusterBytes);
    bytes.copy(padded);
    for (const [position, cluster] of clusters.entries()) {
      const at = position * geometry.clusterBytes;
      await write(padded.subarray(at, at + geometry.clusterBytes), clusterOffset(geometry, cluster));
    }
  };
  const writeFile = async ({ node, clusters }: PlacedNode): Promise<void> => {
    let at = 0;
    // Clusters of the two filesystems need not be of one size.
    for await (const piece of readContent(source, next.geometry, node)) {
      signal.throwIfAborted();
      for (let done = 0; done < piece.length; ) {
        const within = at % geometry.clusterBytes;
        const part = piece.subarray(done, done + geometry.clusterBytes - within);
        const cluster = clusters[Math.floor(at / geometry.clusterBytes)];
        if (cluster === undefined) throw new RangeError(`byte ${at} of a file has no cluster`);
        await write(part, clusterOffset(geometry, cluster) + within);
        done += part.length;
        at += part.length;
      }
    }
  };
  const writeNodes = async (nodes: readonly PlacedNode[], own: number): Promise<void> => {
    for (const placed of nodes) {
      if (placed.children === undefined) {
        await writeFile(placed);
        continue;
      }
      const first = placed.clusters[0] ?? 0;
      const dots = renderDotEntries(placed.node.entry, first, own);
      await writeFolder(Buffer.concat([dots, renderEntries(placed.children)]), placed.clusters);
      await writeNodes(placed.children, first);
    }
  };

  await writeNodes(plan.children, 0);
  const root = renderEntries(plan.children);
  if (geometry.rootArea === undefined) await writeFolder(root, plan.rootClusters);
  else {
    const area = Buffer.alloc(geometry.rootArea.lengthBytes);
    root.copy(area);
    await write(area, geometry.rootArea.offsetBytes);
  }
  const before = await readAt(target, geometry.tableOffsets[0] ?? 0, geometry.tableBytes);
  const table = encodeTable(geometry, plan.table, before);
  for (const offset of geometry.tableOffsets) await write(table, offset);
  await writeBootSectors(target, source, old, next, plan.table, keepIdentity);
}

function renderEntries(nodes: readonly PlacedNode[]): Buffer {
  return Buffer.concat(nodes.map(({ node, clusters }) => renderFatEntry(node.entry, clusters[0] ?? 0)));
}

/** The children with the volume label of another filesystem instead of their own. */
function withLabelOf(labelled: FatVolume, { children }: FatVolume): FatVolume["children"] {
  const isLabel = ({ entry }: FatVolume["children"][number]) => entry.kind === "label";
  return [...labelled.children.filter(isLabel), ...children.filter((node) => !isLabel(node))];
}

async function writeBootSectors(
  target: FatPlace,
  source: FatPlace,
  { geometry }: FatVolume,
  next: FatVolume,
  table: Uint32Array,
  keepIdentity: boolean,
): Promise<void> {
  const write = (bytes: Buffer, offsetBytes: number) =>
    target.file.write(bytes, 0, bytes.length, target.offsetBytes + offsetBytes);
  if (!keepIdentity) {
    const identity = await readAt(source, next.geometry.identityOffset, 15);
    for (const offset of geometry.bootOffsets) await write(identity, offset + geometry.identityOffset);
  }
  if (geometry.infoOffset === undefined) return;
  const counts = Buffer.alloc(8);
  let free = 0;
  for (let cluster = 2; cluster < table.length; cluster++) if (table[cluster] === clusterState.free) free++;
  counts.writeUInt32LE(free, 0);
  counts.writeUInt32LE(Math.max(2, table.indexOf(clusterState.free, 2)), 4);
  await write(counts, geometry.infoOffset + 488);
}
