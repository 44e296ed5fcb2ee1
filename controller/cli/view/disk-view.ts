import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { blockDeviceFromWire } from "../../../proto/disk/block-device-codec.ts";
import type * as wire from "../../../proto/gen/pallet/v1/disk.ts";
import { type Shown, show } from "./shown.ts";

/** A block device as `--json` shows it. */
export interface DiskView
  extends Shown<
    Omit<BlockDevice, "partitionNumber" | "startBytes" | "children">,
    "name" | "path" | "type" | "mountpoints"
  > {
  /** Null, as `startBytes`, when this is not a partition. */
  readonly partitionNumber: number | null;
  readonly startBytes: number | null;
  readonly children: readonly DiskView[];
}

/** Converts from the wire. */
export function viewDisk(device: wire.BlockDevice): DiskView {
  return viewDevice(blockDeviceFromWire(device));
}

function viewDevice(device: BlockDevice): DiskView {
  const isPartition = device.partitionNumber > 0;
  return {
    ...show(device, "name", "path", "type", "mountpoints"),
    partitionNumber: isPartition ? device.partitionNumber : null,
    startBytes: isPartition ? device.startBytes : null,
    children: device.children.map(viewDevice),
  };
}

/** The device with this path, anywhere in the trees. */
export function findDisk(devices: readonly DiskView[], path: string): DiskView | undefined {
  for (const device of devices) {
    if (device.path === path) return device;
    const found = findDisk(device.children, path);
    if (found !== undefined) return found;
  }
  return undefined;
}
