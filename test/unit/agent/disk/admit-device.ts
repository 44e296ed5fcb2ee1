import { realpath } from "node:fs/promises";
import { type GuardRequest, guardDisk } from "../../../../agent/disk/guard.ts";
import type { BlockDevice } from "../../../../agent/inventory/block-device.ts";
import { readBlockDevices } from "../../../../agent/inventory/read-block-devices.ts";
import { readRootDevice } from "../../../../agent/inventory/read-root-device.ts";

/** Reads this machine's devices now and has the guard decide on one of them, as the agent does before an operation. */
export async function admitDevice(
  request: Omit<GuardRequest, "resolvedPath" | "root">,
  signal?: AbortSignal,
): Promise<BlockDevice> {
  const [resolvedPath, devices, root] = await Promise.all([
    realpath(request.path).catch(() => undefined),
    readBlockDevices(signal),
    readRootDevice(),
  ]);
  return guardDisk(devices, { ...request, resolvedPath, root });
}
