import { runTool } from "../linux/run-tool.ts";

/**
 * Erases what marks a device as a filesystem, a RAID member or a disk with partitions, by wipefs(8). Throws a Failure:
 * `tool-failed`, `cancelled`.
 */
export async function eraseSignatures(path: string, signal: AbortSignal | undefined): Promise<void> {
  await runTool({
    tool: "wipefs",
    args: ["--all", "--quiet", path],
    task: `erase the old signatures of ${path}`,
    signal,
  });
}
