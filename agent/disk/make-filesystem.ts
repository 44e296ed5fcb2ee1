import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { checkLabel, type MakeableFilesystem } from "../../proto/disk/filesystem-label.ts";
import { runTool, type ToolRun } from "../linux/run-tool.ts";
import { eraseSignatures } from "./erase-signatures.ts";
import { forgetPartitions } from "./partition-table.ts";

/** A filesystem to make. */
export interface MakeFilesystem {
  /** A partition or whole disk that the guard has admitted. */
  readonly device: BlockDevice;
  readonly type: MakeableFilesystem;
  /** Empty for none. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a filesystem, after every older signature was erased: blkid(8) calls a device with two of them ambivalent. A
 * whole disk loses its partitions.
 *
 * Throws a Failure: `invalid` for a label that does not suit, `tool-failed`, `cancelled`.
 */
export async function makeFilesystem({ device, type, label, signal }: MakeFilesystem): Promise<void> {
  checkLabel(type, label);
  const { path } = device;
  if (device.children.length > 0) await forgetPartitions(path, signal);
  await eraseSignatures(path, signal);
  await runTool({ ...commands[type](path, label), task: `make a ${type} filesystem on ${path}`, signal });
}

/** Without -I, mkfs.vfat refuses a whole disk. With -F, mkfs.ext4 does not ask whether it may use one. */
const commands: Readonly<
  Record<MakeFilesystem["type"], (path: string, label: string) => Pick<ToolRun, "tool" | "args">>
> = {
  vfat: (path: string, label: string) => ({
    tool: "mkfs.vfat",
    args: ["-I", ...(label === "" ? [] : ["-n", label]), path],
  }),
  ext4: (path: string, label: string) => ({
    tool: "mkfs.ext4",
    args: ["-F", "-q", ...(label === "" ? [] : ["-L", label]), path],
  }),
};
