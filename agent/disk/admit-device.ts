import { realpath } from "node:fs/promises";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { readBlockDevices } from "../inventory/read-block-devices.ts";
import { readRootDevice } from "../inventory/read-root-device.ts";
import { type GuardRequest, guardDisk } from "./guard.ts";

/**
 * Reads the node's devices now and has the guard decide on one of them. Throws the guard's Failure, or that of a source
 * that cannot be read: what cannot be seen is not touched.
 */
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
