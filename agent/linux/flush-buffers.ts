import { runTool } from "./run-tool.ts";

/** What to flush. */
export interface FlushBuffers {
  /** Path of the disk, partition or loop device. */
  readonly device: string;
  /**
   * What of it is flushed, for the message: "the new FAT filesystem of /dev/mmcblk0"; the device's buffers unless
   * given.
   */
  readonly what?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes out what the kernel's buffer cache holds of a device and drops it, so that what is read next, O_DIRECT or not,
 * comes from the device itself.
 *
 * Throws a Failure: `tool-failed`, `cancelled`.
 */
export async function flushBuffers({ device, what, signal }: FlushBuffers): Promise<void> {
  await runTool({
    tool: "blockdev",
    args: ["--flushbufs", device],
    task: `flush ${what ?? `the buffers of ${device}`}`,
    signal,
  });
}
