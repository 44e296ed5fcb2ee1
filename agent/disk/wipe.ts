import { open } from "node:fs/promises";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { withDescendants } from "../../proto/disk/device-tree.ts";
import { Failure } from "../../proto/failure.ts";
import { runTool } from "../linux/run-tool.ts";
import { eraseSignatures } from "./erase-signatures.ts";
import { erasePartitionTable } from "./partition-table.ts";

/** A disk to wipe. */
export interface Wipe {
  /** A whole disk that the guard has admitted, with its partitions. */
  readonly device: BlockDevice;
  readonly method: "discard" | "signatures";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Wipes a disk: by discarding all of it, or by erasing the filesystem signatures on its partitions and on itself.
 * Either way its partition table is zeroed (what was discarded may still be read back on some cards) and the kernel
 * forgets its partitions.
 *
 * Throws a Failure: `unsupported` when the disk cannot discard, `tool-failed`, `device-error`, `cancelled`.
 */
export async function wipe({ device, method, signal }: Wipe): Promise<void> {
  await (method === "discard" ? discard(device.path, signal) : eraseAllSignatures(device, signal));
  const handle = await open(device.path, "r+").catch((error: unknown) => {
    throw new Failure("device-error", `cannot open ${device.path} for writing`, { cause: error });
  });
  try {
    await erasePartitionTable({
      device: device.path,
      handle,
      firstPartitionBytes: 0,
      deviceBytes: device.sizeBytes,
      signal,
    });
  } finally {
    await handle.close();
  }
}

/** Partitions first: once the table is gone they cannot be reached. */
async function eraseAllSignatures(device: BlockDevice, signal: AbortSignal | undefined): Promise<void> {
  for (const { path } of withDescendants(device).toReversed()) await eraseSignatures(path, signal);
}

/** In steps, because a discard of the whole device cannot be cancelled. */
async function discard(path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await runTool({
      tool: "blkdiscard",
      args: ["--step", "1GiB", path],
      task: `discard ${path}`,
      signal,
    });
  } catch (error) {
    if (error instanceof Failure && isUnsupported(error.message))
      throw new Failure("unsupported", `${path} does not support discard; wipe it with the method "signatures"`, {
        cause: error,
      });
    throw error;
  }
}

/** Whether blkdiscard's words are those of EOPNOTSUPP. */
export function isUnsupported(words: string): boolean {
  return /operation (is )?not supported|not supported/i.test(words);
}
