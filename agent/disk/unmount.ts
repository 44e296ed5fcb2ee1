import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { Failure } from "../../proto/failure.ts";
import type { Need } from "../../proto/linux/debian-package.ts";
import { detachLoop } from "../../proto/linux/loop-device.ts";
import { runTool, throwIfCancelled } from "../linux/run-tool.ts";
import { planUnmount, type UnmountStep } from "./plan-unmount.ts";

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
  for (const step of planUnmount(device)) await carryOut(step, device.path, signal);
}

async function carryOut(step: UnmountStep, device: string, signal: AbortSignal | undefined): Promise<void> {
  switch (step.kind) {
    case "swapoff":
      await run("swapoff", [step.path], `disable the swap on ${step.path}`, signal);
      break;
    case "umount":
      await run("umount", ["--", step.mountpoint], `unmount ${step.mountpoint} of ${device}`, signal);
      break;
    case "detach": {
      const task = `detach ${step.path} from ${device}`;
      throwIfCancelled(signal, task);
      // It may have gone with its last mount, and its name may already belong to another.
      await detachLoop(step.path, step.over).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Failure("tool-failed", `cannot ${task}: ${why}`, { cause });
      });
    }
  }
}

async function run(tool: Need, args: readonly string[], task: string, signal: AbortSignal | undefined): Promise<void> {
  await runTool({ tool, args, task, signal });
}
