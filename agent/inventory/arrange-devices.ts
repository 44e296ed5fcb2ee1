import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { findLineage } from "../../proto/disk/device-tree.ts";

/**
 * The partitions of a disk by their numbers, then what else is on it. lsblk(8) prints them in the order of its reading
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
