import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import type { Customisation } from "../operations/operation.ts";
import { placeFile } from "./place-file.ts";
import { runTool } from "./run-tool.ts";

/** What to place where. */
export interface Customise extends Customisation {
  /** Path of the whole disk that holds the image, without a partition table yet. */
  readonly device: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Places the stamp into the new system as /etc/pallet/installed.json. The root partition is reached by its offset,
 * through a loop device, because the partition table is written last. Whatever happens, the filesystem is unmounted and
 * the loop device detached before this returns, and the device's cache is flushed, so that O_DIRECT reads see it.
 *
 * Throws a Failure: `invalid` when the filesystem is not one of a system, `tool-failed`, `device-error`, `cancelled`.
 */
export async function customise({ device, root, stamp, signal }: Customise): Promise<void> {
  if (!/^[a-z0-9_]+$/.test(root.filesystemType))
    throw new Failure("invalid", `${JSON.stringify(root.filesystemType)} is no name of a filesystem`);
  await withLoopDevice(device, root, signal, (loop) =>
    withMount(loop, root.filesystemType, signal, (folder) => writeStamp(folder, device, stamp)),
  );
  await runTool({
    tool: "blockdev",
    args: ["--flushbufs", device],
    debianPackage: "util-linux",
    task: `flush the buffers of ${device}`,
    signal,
  });
}

async function writeStamp(root: string, device: string, stamp: Customise["stamp"]): Promise<void> {
  try {
    await placeFile({
      root,
      folders: ["etc", "pallet"],
      name: "installed.json",
      content: `${JSON.stringify(stamp, null, 2)}\n`,
    });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("device-error", `cannot write /etc/pallet/installed.json into the new system on ${device}`, {
      cause: error,
    });
  }
}

async function withLoopDevice(
  device: string,
  range: Customise["root"],
  signal: AbortSignal | undefined,
  use: (loop: string) => Promise<void>,
): Promise<void> {
  const offset = ["--offset", String(range.offsetBytes), "--sizelimit", String(range.lengthBytes)];
  const { stdout } = await runTool({
    tool: "losetup",
    args: ["--find", "--show", ...offset, device],
    debianPackage: "mount",
    task: `reach the root partition of the new system on ${device}`,
    signal,
  });
  const loop = stdout.trim();
  try {
    await use(loop);
  } finally {
    await insist({ tool: "losetup", args: ["--detach", loop], task: `detach ${loop} from ${device}` });
  }
}

async function withMount(
  loop: string,
  filesystemType: string,
  signal: AbortSignal | undefined,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir("/run/pallet", { recursive: true, mode: 0o755 });
  const folder = await mkdtemp("/run/pallet/customise-");
  try {
    await runTool({
      tool: "mount",
      args: [
        "--types",
        filesystemType,
        "--options",
        mountOptions(filesystemType),
        "--source",
        loop,
        "--target",
        folder,
      ],
      debianPackage: "mount",
      task: `mount the ${filesystemType} root filesystem of the new system`,
      signal,
    });
    try {
      await use(folder);
    } finally {
      await insist({ tool: "umount", args: ["--", folder], task: "unmount the root filesystem of the new system" });
    }
  } finally {
    await rmdir(folder);
  }
}

/** ext4 would start to initialise its inode tables in the background: nothing for the few moments here. */
function mountOptions(filesystemType: string): string {
  return ["nosuid", "nodev", "noexec", "noatime", ...(filesystemType === "ext4" ? ["noinit_itable"] : [])].join(",");
}

/** Cleans up, not to be cancelled, and again while something (udev, an indexer) still has it open. */
async function insist(run: { tool: string; args: readonly string[]; task: string }): Promise<void> {
  for (const delayMs of [50, 100, 200, 400, 800, 1600]) {
    try {
      await runTool({ ...run, debianPackage: "mount" });
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !/busy/i.test(error.message)) throw error;
      await sleep(delayMs);
    }
  }
  await runTool({ ...run, debianPackage: "mount" });
}
