import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import type { Partition } from "../catalogue/image.ts";
import { readToolOutput } from "../filesystems/read-tool-output.ts";
import type { Extent } from "./extents.ts";
import { parseDumpe2fs } from "./parse-dumpe2fs.ts";
import { parseFatUsage } from "./parse-fat-usage.ts";
import { type FilesystemUsage, planUnused, type UnusedMap } from "./unused-map.ts";

/** For two terabytes, dumpe2fs prints about ten megabytes. */
const maximumDumpBytes = 64 * 1024 * 1024;

/** An image whose unused parts are wanted. */
export interface MapRequest {
  readonly imagePath: string;
  readonly imageBytes: number;
  readonly partitions: readonly Partition[];
  readonly chunkBytes: number;
  /** What a block map leaves out. */
  readonly unmapped?: readonly Extent[];
  /**
   * Notified of a partition that has a known kind of filesystem whose free-space records cannot be trusted, so that all
   * of it is used.
   */
  readonly onAllUsed: (partition: Partition, why: string) => void;
  readonly signal?: AbortSignal;
}

/** Finds out what no filesystem of a raw image uses. Nothing is mounted, and everything in it is treated as hostile. */
export async function mapImage(request: MapRequest): Promise<UnusedMap> {
  const { imageBytes, partitions, unmapped, onAllUsed } = request;
  const filesystems: FilesystemUsage[] = [];
  for (const partition of partitions) {
    try {
      const usage = await usageOf(partition, request);
      if (usage !== undefined) filesystems.push(usage);
    } catch (error) {
      if (!(error instanceof Failure && (error.reason === "unsupported" || error.reason === "image-damaged")))
        throw error;
      onAllUsed(partition, error.message);
    }
  }
  return planUnused({ imageBytes, partitions, filesystems, ...(unmapped && { unmapped }) });
}

async function usageOf(partition: Partition, request: MapRequest): Promise<FilesystemUsage | undefined> {
  const { offsetBytes, lengthBytes, filesystemType } = partition;
  const frame = { offsetBytes, lengthBytes, chunkBytes: request.chunkBytes };
  if (filesystemType === "vfat") return withReader(request.imagePath, (read) => parseFatUsage(read, frame));
  if (!isExt(filesystemType)) return undefined;
  const { output, errors, exitCode } = await readToolOutput({
    command: "dumpe2fs",
    args: [`${request.imagePath}?offset=${offsetBytes}`],
    maximumBytes: maximumDumpBytes,
    signal: request.signal,
  });
  if (exitCode === 0) return parseDumpe2fs(output.toString("utf8"), frame);
  throw new Failure("image-damaged", `dumpe2fs cannot read its ext filesystem: ${errors.trim().slice(0, 500)}`);
}

async function withReader<Result>(
  imagePath: string,
  use: (read: (offsetBytes: number, lengthBytes: number) => Buffer) => Result,
): Promise<Result> {
  const file = await open(imagePath, "r");
  try {
    return use((offsetBytes, lengthBytes) => {
      const bytes = Buffer.alloc(lengthBytes);
      return bytes.subarray(0, readSync(file.fd, bytes, 0, lengthBytes, offsetBytes));
    });
  } finally {
    await file.close();
  }
}
