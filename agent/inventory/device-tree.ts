import type { BlockDevice } from "./block-device.ts";

/** A device and everything on it, in any depth. */
export function withDescendants(device: BlockDevice): readonly BlockDevice[] {
  return [device, ...device.children.flatMap(withDescendants)];
}

/**
 * The device with this path, after the devices that it lies on, whole disk first; empty when there is none. A RAID array
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

/**
 * The partitions of a disk by their numbers, then what else lies on it. lsblk(8) prints them in the order of its reading
 * of sysfs, which is none: with some device names the second partition comes before the first.
 */
export function orderPartitions(children: readonly BlockDevice[]): readonly BlockDevice[] {
  const place = ({ type, partitionNumber }: BlockDevice) => (type === "part" ? partitionNumber : Number.MAX_VALUE);
  return children.toSorted((one, other) => place(one) - place(other));
}

/**
 * Puts loop devices whose backing file is itself a block device on top of that device, where lsblk(8) lists them beside
 * it. `backingFiles` are the backing files of the loop devices by name, as sysfs has them.
 */
export function nestLoopDevices(
  devices: readonly BlockDevice[],
  backingFiles: ReadonlyMap<string, string>,
): readonly BlockDevice[] {
  const isNested = (device: BlockDevice) => {
    const backing = backingFiles.get(device.name);
    return backing !== undefined && backing !== device.path && findLineage(devices, backing).length > 0;
  };
  const nested = devices.filter(isNested);
  if (nested.length === 0) return devices;
  const withLoops = (device: BlockDevice): BlockDevice => {
    const loops = nested.filter((loop) => backingFiles.get(loop.name) === device.path);
    return { ...device, children: [...device.children, ...loops].map(withLoops) };
  };
  return devices.filter((device) => !isNested(device)).map(withLoops);
}
