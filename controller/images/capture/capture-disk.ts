import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { describeSize } from "../../../proto/disk/describe-size.ts";
import { keepLabelOnly, refuseProtecting } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import { maxImageBytes, sectorBytes, whyNotFirstPartition } from "../../../proto/pack/image-bounds.ts";
import { precondition, Refusal } from "../../refusal/refusal.ts";
import { assertRequirements } from "../../requirements/assert-requirements.ts";
import type { Partition } from "../catalogue/image.ts";
import { parseFatGeometry } from "../filesystems/fat/parse-fat-geometry.ts";
import { probeFilesystem } from "../filesystems/probe-filesystem.ts";
import { parsePartitionTable } from "../formats/parse-partition-table.ts";
import type { PartitionTable } from "../formats/partition-table.ts";
import type { ImageStore } from "../image-store.ts";
import { findRootPartition } from "../import/examine-image.ts";
import type { FilledRaw, ImportProgress } from "../import/import-image.ts";
import { type Extents, subtract, toExtents } from "../map/extents.ts";
import { readUsage } from "../map/map-image.ts";
import type { FilesystemUsage } from "../map/unused-map.ts";
import type { DiskReader } from "./disk-reader.ts";
import { type CopiedFilesystem, removeOwnThings, restoreFirmware } from "./edit-card.ts";
import { parseExtBooks } from "./parse-ext-books.ts";
import { endOfTable, placesToProbe, planReading, swappedOut } from "./plan-capture.ts";
import { planImagesCapture } from "./plan-requirements.ts";
import { fetchToParse, missingBytes, openSparseCopy, type SparseCopy } from "./sparse-copy.ts";

/** A disk to make an image of. */
export interface CaptureRequest {
  readonly name: string;
  /** The disk; it is closed when it is not needed any more, and in any case in the end. */
  readonly disk: DiskReader;
  /** Where it is, for people and for the image's record. */
  readonly origin: { readonly node: string; readonly device: string };
  /** Whether what makes the system one node's is removed from the copy. */
  readonly generalise: boolean;
  /** Whether Pallet may have installed a system on the disk, with a key in it. */
  readonly mayHoldKey: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
}

/** What came of it. Lengths in bytes. */
export interface CaptureSums {
  /** What was read of the disk. */
  readonly readBytes: number;
  /** What of the image was not, because its filesystem calls it free. */
  readonly skippedBytes: number;
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

/** A partition of the disk, and what its filesystem calls free. */
interface Part {
  readonly partition: Partition;
  readonly usage?: FilesystemUsage;
}

/** The ext filesystems are edited, others cannot be. What else may be there holds no files. */
const withoutFiles = ["", "vfat", "swap"];

/**
 * Makes an image of a node's disk, as `images add` would make it of a file with the same bytes, but for free blocks: those
 * are not read, and are zeros in the image. Throws Refusal "precondition" for a disk that makes no image, "exhausted"
 * where there is no room for it; errors of the disk, of `images.addRaw`, and of the edits come through.
 */
export async function captureDisk(
  request: CaptureRequest,
  { images, directory }: { readonly images: Pick<ImageStore, "addRaw">; readonly directory: string },
): Promise<{ readonly image: Awaited<ReturnType<ImageStore["addRaw"]>>; readonly sums: CaptureSums }> {
  const { name, disk, signal, onProgress } = request;
  await assertRequirements(planImagesCapture(), { canInstall: true });
  let work: { readonly sums: () => CaptureSums; readonly close: () => Promise<void> } | undefined;
  try {
    const image = await images.addRaw({
      name,
      signal,
      onProgress,
      async fill(path, folder) {
        const filling = startFilling(path, folder, request, directory);
        work = filling;
        return await filling.fill();
      },
    });
    return { image, sums: work?.sums() ?? { readBytes: 0, skippedBytes: 0, notes: [] } };
  } finally {
    await work?.close();
    disk.close();
  }
}

function startFilling(path: string, folder: string, request: CaptureRequest, directory: string) {
  const { name, disk, origin, generalise, signal } = request;
  let [readBytes, totalBytes, skippedBytes] = [0, 0, 0];
  let opened: SparseCopy | undefined;
  const notes: string[] = [];
  const report = (step: string): void => request.onProgress({ step, receivedBytes: readBytes, totalBytes });

  async function fill(): Promise<FilledRaw> {
    const copy = await openSparseCopy(path, disk, (bytes) => {
      signal.throwIfAborted();
      readBytes += bytes;
      report("receiving");
    });
    opened = copy;
    report("reading the partition table");
    const { table, imageBytes } = await readTable(copy, disk.sizeBytes, origin);
    const wholeImage = [{ start: 0, end: imageBytes }];
    await copy.cut(imageBytes);
    await copy.fetch(placesToProbe(table.entries));
    const partitions = await probeAll(copy, table, signal);
    const protecting = refuseProtecting(name, partitions, keepLabelOnly);
    if (protecting !== undefined) throw protecting;
    refuseUneditable(partitions, request);

    report("reading the books of the filesystems");
    const parts: Part[] = [];
    for (const partition of partitions) {
      const usage = await readBooks(copy, partition, signal);
      parts.push({ partition, ...(usage && { usage }) });
    }
    const swaps = generalise ? partitions.filter(({ filesystemType }) => filesystemType === "swap") : [];
    const leftOut = toExtents(...parts.map(({ usage }) => usage?.free ?? []), ...swaps.map(swappedOut));
    const wanted = planReading(imageBytes, leftOut);
    await assertRoom(directory, missingBytes(copy, wanted));
    totalBytes = readBytes + missingBytes(copy, wanted);
    await copy.fetch(wanted);
    // Of free blocks that were read along with a superblock, nothing may stay either.
    await copy.forget(leftOut);
    const thinned = parts.filter(({ usage }) => usage !== undefined).map(({ partition }) => partition);
    await assertSame(copy, [...thinned, ...swaps], signal);

    report("removing what is the node's own");
    const removed = [
      ...swaps.map(({ number }) => `partition ${number}: what was swapped out`),
      ...(await edit(copy, folder, parts, request)),
    ];
    if (removed.some((path) => path.includes("host_key") || path.includes("ssh_host_"))) notes.push(hostKeysGone);
    skippedBytes = missingBytes(copy, wholeImage);
    return {
      sizeBytes: imageBytes,
      capture: { node: origin.node, disk: origin.device, generalised: generalise, removed },
      async complete(whole) {
        for (const { partition } of parts) {
          const reason = whole.get(partition.number);
          if (reason === undefined) continue;
          if (generalise && reason.isHashed)
            throw precondition(
              `partition ${partition.number} of ${origin.device} on ${origin.node} cannot be generalised: ${reason.why}, and ` +
                "with anything changed in it the system would not start any more; capture it without --generalise",
            );
          const { offsetBytes, lengthBytes } = partition;
          await copy.fetch([{ start: offsetBytes, end: offsetBytes + lengthBytes }]);
        }
        skippedBytes = missingBytes(copy, wholeImage);
        // The node is not needed to pack it.
        disk.close();
        await copy.close();
      },
    };
  }

  return {
    fill,
    sums: (): CaptureSums => ({ readBytes, skippedBytes, notes }),
    close: async (): Promise<void> => opened?.close(),
  };
}

const hostKeysGone =
  "the SSH host keys are gone: something has to make new ones on each node (cloud-init and Raspberry Pi OS do at their " +
  "first start; by hand: ssh-keygen -A)";

/** The partition table, and where the image ends. Throws a Refusal that says why there is nothing to make an image of. */
async function readTable(
  copy: SparseCopy,
  diskBytes: number,
  { node, device }: CaptureRequest["origin"],
): Promise<{ readonly table: PartitionTable; readonly imageBytes: number }> {
  const refusal = (why: string, cause?: unknown): Refusal =>
    precondition(`no image can be made of ${device} on ${node}: ${why}`, { cause });
  const most = limits.captures.tableReads.most;
  const refuse = () => refusal("its partition table is spread over too many places");
  try {
    const table = await fetchToParse(copy, (read) => parsePartitionTable(read, diskBytes), { most, refuse });
    const first = Math.min(...table.entries.map(({ offsetBytes }) => offsetBytes));
    const imageBytes = endOfTable(table, copy.read(0, sectorBytes));
    const misplaced = whyNotFirstPartition(first, imageBytes);
    if (misplaced !== undefined) throw refusal(`where its first partition starts, byte ${first}, ${misplaced}`);
    if (imageBytes > maxImageBytes || imageBytes > diskBytes)
      throw refusal(`its last partition ends at byte ${imageBytes}, past the end of what an image can be`);
    return { table, imageBytes };
  } catch (error) {
    if (!(error instanceof Failure) || error instanceof Refusal) throw error;
    const why = error.message.replaceAll("the image's", "its").replaceAll("the image", "it");
    if (error.reason === "unsupported")
      throw refusal(
        `${why}; nothing is on it, or the write of an image to it was cut off: reimage the node, or choose another disk`,
        error,
      );
    if (error.reason === "image-damaged") throw refusal(`its partition table is damaged: ${why}`, error);
    throw error;
  }
}

async function probeAll(copy: SparseCopy, table: PartitionTable, signal: AbortSignal): Promise<readonly Partition[]> {
  const partitions: Partition[] = [];
  for (const entry of table.entries)
    partitions.push({ ...entry, ...(await probeFilesystem(copy.path, entry, signal)) });
  return partitions;
}

/** What can be known to be in vain before anything is read. */
function refuseUneditable(
  partitions: readonly Partition[],
  { generalise, mayHoldKey, origin: { node, device } }: CaptureRequest,
): void {
  const only = "Pallet changes ext2, ext3 and ext4 only";
  const hasExt = partitions.some(({ filesystemType }) => isExt(filesystemType));
  const foreign = partitions.find(
    ({ filesystemType }) => !withoutFiles.includes(filesystemType) && !isExt(filesystemType),
  );
  const found = partitions.map(({ number, filesystemType }) => `${number}: ${filesystemType || "unknown"}`).join(", ");
  if (generalise && (foreign !== undefined || !hasExt))
    throw precondition(
      `${device} on ${node} cannot be generalised: ${only}, and its partitions hold ${found}; capture it without --generalise, ` +
        "and remove host keys, machine-id and hostname on the node before",
    );
  if (mayHoldKey && !hasExt)
    throw precondition(
      `no image can be made of ${device} on ${node}: Pallet has installed a system there, whose agent's key must not get into ` +
        `an image, and ${only}, while its partitions hold ${found}`,
    );
}

/** What a filesystem calls free; undefined where that is not known, or cannot be trusted: then all of it is read. */
async function readBooks(
  copy: SparseCopy,
  partition: Partition,
  signal: AbortSignal,
): Promise<FilesystemUsage | undefined> {
  const { offsetBytes, lengthBytes, filesystemType } = partition;
  try {
    if (isExt(filesystemType)) {
      const refuse = () => new Failure("unsupported", "its books are spread over too many places");
      const frame = { offsetBytes, lengthBytes };
      await copy.fetch(await fetchToParse(copy, (read) => parseExtBooks(read, frame), { most: 16, refuse }));
    } else if (filesystemType === "vfat") {
      const { dataOffset } = parseFatGeometry(copy.read(offsetBytes, sectorBytes), lengthBytes);
      await copy.fetch([{ start: offsetBytes, end: offsetBytes + dataOffset }]);
    }
    return await readUsage(partition, { imagePath: copy.path, file: copy.file, chunkBytes: sectorBytes, signal });
  } catch (error) {
    if (error instanceof Failure && (error.reason === "unsupported" || error.reason === "image-damaged"))
      return undefined;
    throw error;
  }
}

/** Zeros what the books of an edited filesystem call free, and what was in `emptied`: there was what was removed. */
async function eraseFreed(
  copy: SparseCopy,
  { partition, usage }: Part,
  emptied: Extents,
  signal: AbortSignal,
): Promise<void> {
  await copy.erase(emptied);
  const now = await readUsage(partition, { imagePath: copy.path, file: copy.file, chunkBytes: sectorBytes, signal });
  await copy.erase(subtract(now?.free ?? [], usage?.free ?? []));
}

/** Refuses a copy in which blkid(8) sees something else than it saw before there was much in it. */
async function assertSame(copy: SparseCopy, partitions: readonly Partition[], signal: AbortSignal): Promise<void> {
  for (const partition of partitions) {
    const { filesystemType } = await probeFilesystem(copy.path, partition, signal);
    if (filesystemType === partition.filesystemType) continue;
    throw new Failure(
      "unsupported",
      `partition ${partition.number} of the card holds the signatures of several filesystems, so that it is not known what ` +
        "is in use: remove the wrong ones (wipefs(8)), and try again",
      { expected: partition.filesystemType || "unknown", found: filesystemType || "unknown" },
    );
  }
}

/** Edits the copy. @returns what was changed, an item each */
async function edit(
  copy: SparseCopy,
  folder: string,
  parts: readonly Part[],
  request: CaptureRequest,
): Promise<readonly string[]> {
  const { generalise, mayHoldKey, signal, origin } = request;
  const workFolder = join(folder, "work");
  await mkdir(workFolder);
  const place = ({ partition: { offsetBytes, lengthBytes } }: Part): CopiedFilesystem => ({
    ...{ imagePath: copy.path, offsetBytes, lengthBytes, workFolder, signal },
  });
  const changed: string[] = [];
  for (const part of parts.filter(({ partition }) => partition.filesystemType === "vfat"))
    changed.push(...(await restoreFirmware(place(part), part.partition.number)));

  const { rootPartition } = await findRootPartition(copy.path, signal);
  const root = parts.find(({ partition }) => partition.number === rootPartition);
  if (root !== undefined && isExt(root.partition.filesystemType)) {
    const { removed, emptied } = await removeOwnThings(place(root), generalise);
    if (removed.length > 0) await eraseFreed(copy, root, emptied, signal);
    changed.push(...removed);
  } else if (generalise || mayHoldKey) {
    throw precondition(
      `no image can be made of ${origin.device} on ${origin.node}: its root filesystem is ` +
        `${root?.partition.filesystemType || "unknown"}, and Pallet removes its key, and what is the node's own, from ` +
        "ext2, ext3 and ext4 only",
    );
  }
  await rm(workFolder, { recursive: true });
  return changed;
}

/** Throws a Refusal when the copy of what is to be read does not fit into the image store. */
async function assertRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new Refusal(
    "exhausted",
    `no room for the copy in ${directory}: ${describeSize(bytes)} are in use on the disk, and ${describeSize(free)} are ` +
      "free here; free some space, or set imageDirectory to another disk",
    { expected: `${bytes} bytes`, found: `${free} bytes` },
  );
}
