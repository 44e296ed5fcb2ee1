import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { renderForeignMount } from "../../proto/linux/render-foreign-mount.ts";
import type { Place } from "../../proto/operation/operation-spec.ts";
import { runTool } from "../linux/run-tool.ts";

/** Root of the private folders to mount at; the next ones are made below it. */
const mountRoot = "/run/pallet";

/** Waits between attempts to unmount while something (udev, an indexer) has the filesystem open. */
const unmountRetriesMs = [50, 100, 200, 400, 800, 1600];

/** A root filesystem on a disk. */
export type RootPlace = Place & { readonly filesystemType: string };

/**
 * Mounts the filesystem at an offset of a device for the time of `use`. mount(8) sets up the loop device so that the
 * kernel detaches it with the unmount, or when the last process of this mount namespace has died. Throws a Failure:
 * `invalid` for an impossible place or type, `tool-failed`.
 */
export async function withMountedRoot(
  device: string,
  root: RootPlace,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  checkRoot(root);
  await mkdir(mountRoot, { recursive: true });
  const { type, options } = renderForeignMount(root, "write");
  const folder = await mkdtemp(`${mountRoot}/customise-${basename(device)}-`);
  try {
    // Not to be cancelled: mount(8) ended by a signal may have mounted already, and nobody would unmount it.
    await runTool({
      tool: "mount",
      args: ["--types", type, "--options", options, "--source", device, "--target", folder],
      task: `mount the ${root.filesystemType} root filesystem at byte ${root.offsetBytes} of ${device}`,
    });
    try {
      await use(folder);
    } finally {
      await unmountInsistently(folder, device);
    }
  } finally {
    await rmdir(folder);
  }
}

/** Not to be cancelled: a filesystem left mounted would write to the disk later. */
async function unmountInsistently(folder: string, device: string): Promise<void> {
  const attempt = () =>
    runTool({
      tool: "umount",
      args: ["--", folder],
      task: `unmount the root filesystem of the new system on ${device}`,
    });
  for (const delayMs of unmountRetriesMs) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !/busy/i.test(error.message)) throw error;
      await sleep(delayMs);
    }
  }
  await attempt();
}

/** This becomes a mount option: nothing else may slip in with it. */
function checkRoot({ offsetBytes, lengthBytes, filesystemType }: RootPlace): void {
  if (!/^[a-z0-9_]+$/.test(filesystemType))
    throw new Failure("invalid", `${JSON.stringify(filesystemType)} is not the name of a filesystem`);
  if (!Number.isSafeInteger(offsetBytes) || !Number.isSafeInteger(lengthBytes) || offsetBytes < 0 || lengthBytes <= 0)
    throw new Failure("invalid", `a root partition of ${lengthBytes} bytes at ${offsetBytes} is impossible`);
}
