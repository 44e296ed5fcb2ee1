import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import type { Partition } from "../catalogue/image.ts";
import { readToolOutput } from "../filesystems/read-tool-output.ts";
import type { Extents } from "./extents.ts";
import { type BookedPartition, judgePartitions, type WholeReason } from "./judge-partitions.ts";
import { parseDumpe2fs } from "./parse-dumpe2fs.ts";
import { parseFatUsage } from "./parse-fat-usage.ts";
import { findNonZero, findVeritySuperblocks, type ScannedImage } from "./scan-image.ts";
import { type FilesystemUsage, planUnused } from "./unused-map.ts";

/** For two terabytes, dumpe2fs prints about ten megabytes. */
const maximumDumpBytes = 64 * 1024 * 1024;

/** An image whose unused parts are wanted. */
export interface MapRequest {
  readonly imagePath: string;
  readonly imageBytes: number;
  /** Whether all of a range of the image is known to be zero; by default nothing is known. */
  readonly isZero?: ScannedImage["isZero"];
  readonly partitions: readonly Partition[];
  readonly chunkBytes: number;
  /** The kernel command line that the image brings. */
  readonly commandLine?: string;
  /** Those of `hashTables` that its root filesystem has. */
  readonly hashTables?: readonly string[];
  /** Whether every block is to count. */
  readonly everything?: boolean;
  /**
   * Notified of a partition that has a known kind of filesystem, and all of which is used nevertheless: its free-space
   * records cannot be trusted, or something else may read what they call free.
   */
  readonly onAllUsed: (partition: Partition, reason: WholeReason) => void;
  readonly signal?: AbortSignal;
}

/**
 * Finds out what nothing uses of a raw image, by the invariant of `judgePartitions`. Nothing is mounted, and everything
 * in it is treated as hostile.
 */
export async function mapImage(request: MapRequest): Promise<Extents> {
  const { partitions, onAllUsed } = request;
  const file = await open(request.imagePath, "r");
  try {
    const booked: BookedPartition[] = [];
    for (const partition of partitions) {
      try {
        const usage = await readUsage(partition, { ...request, file });
        if (usage !== undefined) booked.push({ number: partition.number, usage });
      } catch (error) {
        if (!(error instanceof Failure && (error.reason === "unsupported" || error.reason === "image-damaged")))
          throw error;
        onAllUsed(partition, { why: error.message, isHashed: false });
      }
    }
    const whole = booked.length === 0 ? new Map<number, WholeReason>() : await judge(booked, file, request);
    for (const partition of partitions) {
      const reason = whole.get(partition.number);
      if (reason !== undefined) onAllUsed(partition, reason);
    }
    return planUnused(booked.filter(({ number }) => !whole.has(number)).map(({ usage }) => usage));
  } finally {
    await file.close();
  }
}

async function judge(
  booked: readonly BookedPartition[],
  file: FileHandle,
  request: MapRequest,
): Promise<ReadonlyMap<number, WholeReason>> {
  const { partitions, imageBytes, signal, commandLine = "", hashTables = [], everything = false } = request;
  const image: ScannedImage = { file, ...(request.isZero && { isZero: request.isZero }) };
  const looked: BookedPartition[] = [];
  const unrecognised: number[] = [];
  for (const { number, offsetBytes, lengthBytes, filesystemType } of partitions) {
    const end = offsetBytes + lengthBytes;
    const own = booked.find((each) => each.number === number);
    if (own !== undefined) {
      const firstBehind = await findNonZero(image, own.usage.end, end, signal);
      looked.push({ ...own, ...(firstBehind !== undefined && { firstBehind }) });
    } else if (filesystemType === "" && (await findNonZero(image, offsetBytes, end, signal)) !== undefined) {
      unrecognised.push(number);
    }
  }
  const verity = await findVeritySuperblocks(image, imageBytes, signal);
  return judgePartitions({ partitions, booked: looked, unrecognised, verity, commandLine, hashTables, everything });
}

/** A raw image whose filesystems' books are wanted. */
export interface BooksRequest {
  readonly imagePath: string;
  /** The same, opened for reading. */
  readonly file: FileHandle;
  /** Runs of free blocks that cannot make a chunk of this length unused are left out; with 512, none is. */
  readonly chunkBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the filesystem in a partition calls free; undefined where there is none whose books Pallet reads. Throws Failure
 * `unsupported` or `image-damaged` when they cannot be trusted.
 */
export async function readUsage(
  { offsetBytes, lengthBytes, filesystemType }: Pick<Partition, "offsetBytes" | "lengthBytes" | "filesystemType">,
  { imagePath, file, chunkBytes, signal }: BooksRequest,
): Promise<FilesystemUsage | undefined> {
  const frame = { offsetBytes, lengthBytes, chunkBytes };
  if (filesystemType === "vfat") {
    const read = (at: number, wantedBytes: number) => {
      const bytes = Buffer.alloc(wantedBytes);
      return bytes.subarray(0, readSync(file.fd, bytes, 0, wantedBytes, at));
    };
    return parseFatUsage(read, frame);
  }
  if (!isExt(filesystemType)) return undefined;
  const { output, errors, exitCode } = await readToolOutput({
    command: "dumpe2fs",
    args: [`${imagePath}?offset=${offsetBytes}`],
    maximumBytes: maximumDumpBytes,
    signal,
  });
  if (exitCode === 0) return parseDumpe2fs(output.toString("utf8"), frame);
  throw new Failure("image-damaged", `dumpe2fs cannot read its ext filesystem: ${errors.trim().slice(0, 500)}`);
}
