import { open } from "node:fs/promises";
import type { RootIds } from "../../proto/node/root-ids.ts";
import { parseFilesystemUuid, parsePartitionUuid, type ReadAt } from "./parse-root-ids.ts";
import { readRootPartition } from "./read-root-device.ts";

/** A partition of a disk. */
export interface PartitionPlace {
  /** Path of its device. */
  readonly device: string;
  /** Path of the whole disk. */
  readonly disk: string;
  readonly number: number;
}

/**
 * The ids of the partition that this process runs from, as they are on the disk now: a few short reads of the devices,
 * which need no tool and are cheap enough for every heartbeat. Undefined when the root is not a plain partition (NFS,
 * RAM, a mapped device) or its filesystem is unknown here.
 *
 * Rejects with the error of a device that cannot be opened or read.
 */
export async function readRootIds(): Promise<RootIds | undefined> {
  const place = await readRootPartition();
  return place && readIdsAt(place);
}

/** The ids of one partition, now. Rejects as readRootIds() does. */
export async function readIdsAt({ device, disk, number }: PartitionPlace): Promise<RootIds | undefined> {
  const filesystemUuid = await reading(device, parseFilesystemUuid);
  if (filesystemUuid === undefined) return undefined;
  return { partitionUuid: await reading(disk, (read) => parsePartitionUuid(read, number)), filesystemUuid };
}

async function reading<T>(device: string, parse: (read: ReadAt) => Promise<T>): Promise<T> {
  const handle = await open(device, "r");
  try {
    return await parse(async (offsetBytes, lengthBytes) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(lengthBytes), 0, lengthBytes, offsetBytes);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await handle.close();
  }
}
