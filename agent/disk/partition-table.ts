import type { FileHandle } from "node:fs/promises";
import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { allocatePageAligned } from "../linux/page-aligned.ts";
import { runTool, throwIfCancelled } from "../linux/run-tool.ts";

/** A disk whose table is erased. */
export interface ErasePartitionTable {
  /** Path of the whole disk. */
  readonly device: string;
  /** Open for writing, with or without O_DIRECT; stays open. */
  readonly handle: FileHandle;
  /** Where the first partition of what comes next starts; a multiple of 512. */
  readonly firstPartitionBytes: number;
  readonly deviceBytes: number;
  readonly signal?: AbortSignal | undefined;
}

const mebibyte = 1024 * 1024;

/**
 * Sectors that a GPT takes at either end of a disk (UEFI 2.10, 5.3): header and 128 entries, which is 33 sectors of 512
 * bytes or 5 of 4096. At the front the protective MBR comes before them.
 */
const gptBytes = 5 * 4096;

/**
 * Erases a disk's partition table: zeroes everything before the first partition (at least what an MBR and a
 * GPT take), and the place of the backup GPT at the end, flushes the device and makes the kernel forget the partitions.
 *
 * Throws a Failure: `device-error` with the byte range, `cancelled`, or what forgetPartitions() throws.
 */
export async function erasePartitionTable(request: ErasePartitionTable): Promise<void> {
  const { device, handle, deviceBytes, signal } = request;
  const startBytes = Math.min(Math.max(request.firstPartitionBytes, 4096 + gptBytes), deviceBytes);
  const endBytes = Math.min(gptBytes, deviceBytes);
  await writeZeros({ device, handle, offsetBytes: 0, lengthBytes: startBytes, signal });
  await writeZeros({ device, handle, offsetBytes: deviceBytes - endBytes, lengthBytes: endBytes, signal });
  await sync(device, handle);
  await forgetPartitions(device, signal);
}

/**
 * Announces the partitions in the disk's table to the kernel with partx(8): BLKRRPART would need a kernel that
 * scans this kind of table itself and a disk that nobody has open.
 *
 * Throws `tool-failed` when there is no table, or when a partition that has to change is in use; `cancelled`.
 */
export async function announcePartitions(device: string, signal?: AbortSignal): Promise<void> {
  await retryWhileBusy(signal, () =>
    runTool({
      tool: "partx",
      args: ["--update", device],
      task: `announce the partitions of ${device}`,
      signal,
    }),
  );
}

/**
 * Makes the kernel forget the partitions of a disk; that it has none is not an error. Throws what announcePartitions()
 * throws, or `device-error` when the disk is gone.
 */
export async function forgetPartitions(device: string, signal?: AbortSignal): Promise<void> {
  await retryWhileBusy(signal, async () => {
    if ((await knownPartitions(device)).length === 0) return;
    await runTool({
      tool: "partx",
      args: ["--delete", device],
      task: `make the kernel forget the partitions of ${device}`,
      signal,
    });
  });
}

/** Names of the partitions that the kernel knows on a disk now. */
async function knownPartitions(device: string): Promise<readonly string[]> {
  const name = basename(device);
  const entries = await readdir(`/sys/class/block/${name}`, { withFileTypes: true }).catch((error: unknown) => {
    // The kernel removes the folder together with the disk.
    const found =
      error instanceof Error && "code" in error && error.code === "ENOENT"
        ? "it is gone; reinsert or replace it"
        : messageOf(error);
    throw new Failure("device-error", `cannot read the partitions of ${device}: ${found}`, { cause: error });
  });
  return entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(name)).map((entry) => entry.name);
}

/**
 * udev and blkid open new partitions for a moment, in which they can be neither deleted nor resized (partx's words).
 */
async function retryWhileBusy(signal: AbortSignal | undefined, action: () => Promise<unknown>): Promise<void> {
  for (const delayMs of [50, 100, 200, 400]) {
    try {
      await action();
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !/error (adding|updating|deleting) partition/.test(error.message)) throw error;
      await sleep(delayMs);
      throwIfCancelled(signal, "wait for the kernel to release the partitions");
    }
  }
  await action();
}

/** A range of a device to zero. */
interface ZeroRange {
  readonly device: string;
  readonly handle: FileHandle;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly signal: AbortSignal | undefined;
}

async function writeZeros({ device, handle, offsetBytes, lengthBytes, signal }: ZeroRange): Promise<void> {
  const zeros = allocatePageAligned(Math.min(lengthBytes, mebibyte));
  for (let done = 0; done < lengthBytes; ) {
    throwIfCancelled(signal, `erase the partition table of ${device}`);
    const length = Math.min(zeros.length, lengthBytes - done);
    const range = { device, offsetBytes: offsetBytes + done, lengthBytes: length };
    const { bytesWritten } = await handle.write(zeros, 0, length, range.offsetBytes).catch((error: unknown) => {
      throw new Failure("device-error", `cannot erase the partition table of ${device}: ${messageOf(error)}`, {
        range,
        cause: error,
      });
    });
    done += bytesWritten;
    if (bytesWritten === 0)
      throw new Failure("device-error", `${device} accepted no bytes while its partition table was being erased`, {
        range,
      });
  }
}

async function sync(device: string, handle: FileHandle): Promise<void> {
  try {
    await handle.datasync();
  } catch (error) {
    throw new Failure("device-error", `cannot flush ${device} after erasing its partition table: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
