import { Failure } from "../../proto/failure.ts";
import type { BlockDevice } from "../inventory/block-device.ts";
import { withDescendants } from "./guard.ts";
import { runTool } from "./run-tool.ts";

/** A disk or partition to unmount. */
export interface Unmount {
  readonly device: BlockDevice;
  readonly signal?: AbortSignal | undefined;
}

/** What has to be undone so that nobody uses a device, in this order. */
export type UnmountStep =
  | { readonly kind: "swapoff"; readonly path: string }
  | { readonly kind: "umount"; readonly mountpoint: string };

/** Where the system itself lives: unmounting these would stop the agent. */
const systemMountpoints = /^\/(proc|sys|dev|run|usr|etc|var|nix)?$/;

/**
 * Plans how to unmount a device and everything on it: swap first, then every mount, the deepest first. Throws a Failure
 * `holds-running-root` when the system itself runs from one of the mounts.
 */
export function planUnmount(device: BlockDevice): readonly UnmountStep[] {
  const stack = withDescendants(device);
  const swaps = stack.filter((part) => part.mountpoints.includes("[SWAP]")).map((part) => part.path);
  const mountpoints = [...new Set(stack.flatMap((part) => part.mountpoints))].filter((at) => at !== "[SWAP]");
  const system = mountpoints.find((at) => systemMountpoints.test(at));
  if (system !== undefined)
    throw new Failure(
      "holds-running-root",
      `cannot unmount ${device.path}: this node is running from it (${system}); boot it into the agent first`,
    );
  const depth = (path: string) => path.split("/").length;
  return [
    ...[...new Set(swaps)].map((path) => ({ kind: "swapoff" as const, path })),
    ...mountpoints.sort((a, b) => depth(b) - depth(a)).map((mountpoint) => ({ kind: "umount" as const, mountpoint })),
  ];
}

/**
 * Unmounts a device and everything on it, and switches off its swap. A device that nobody uses is left as it is.
 *
 * Throws a Failure: `holds-running-root`, `tool-failed` (a process still uses the mount: the message says which mount),
 * `cancelled`.
 */
export async function unmount({ device, signal }: Unmount): Promise<void> {
  for (const step of planUnmount(device)) {
    const tool =
      step.kind === "swapoff"
        ? { tool: "swapoff", args: [step.path], task: `switch off the swap on ${step.path}` }
        : { tool: "umount", args: ["--", step.mountpoint], task: `unmount ${step.mountpoint} of ${device.path}` };
    await runTool({ ...tool, debianPackage: "mount", signal });
  }
}
