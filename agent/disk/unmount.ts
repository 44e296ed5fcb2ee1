import type { BlockDevice } from "../inventory/block-device.ts";
import { planUnmount, type UnmountStep } from "./plan-unmount.ts";
import { runTool } from "./run-tool.ts";

/** A disk or partition to unmount. */
export interface Unmount {
  /** As the inventory has it now, with everything on it. */
  readonly device: BlockDevice;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unmounts a device and everything on it, switches off its swap and detaches loop devices over it. A device that nobody
 * uses is left as it is.
 *
 * Throws a Failure: `holds-running-root`, `tool-failed` (a process still uses the mount: the message says which mount),
 * `cancelled`.
 */
export async function unmount({ device, signal }: Unmount): Promise<void> {
  for (const step of planUnmount(device))
    await runTool({ ...command(step, device.path), debianPackage: "mount", signal });
}

function command(step: UnmountStep, device: string) {
  switch (step.kind) {
    case "swapoff":
      return { tool: "swapoff", args: [step.path], task: `switch off the swap on ${step.path}` };
    case "umount":
      return { tool: "umount", args: ["--", step.mountpoint], task: `unmount ${step.mountpoint} of ${device}` };
    case "detach":
      return { tool: "losetup", args: ["--detach", step.path], task: `detach ${step.path} from ${device}` };
  }
}
