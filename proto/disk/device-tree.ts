import type { BlockDevice } from "./block-device.ts";

/** A device and everything on it, in any depth. */
export function withDescendants(device: BlockDevice): readonly BlockDevice[] {
  return [device, ...device.children.flatMap(withDescendants)];
}

/**
 * The device with this path, after the devices that it is on, whole disk first; empty when there is none. A RAID array
 * stands below each of its members: then this is the way through the first.
 */
export function findLineage(devices: readonly BlockDevice[], path: string): readonly BlockDevice[] {
  for (const device of devices) {
    if (device.path === path) return [device];
    const below = findLineage(device.children, path);
    if (below.length > 0) return [device, ...below];
  }
  return [];
}
