import type * as wire from "../gen/pallet/v1/disk.ts";
import type { BlockDevice } from "./block-device.ts";

/** Converts a block device and everything on it to the wire. */
export function blockDeviceToWire(device: BlockDevice): wire.BlockDevice {
  return {
    ...device,
    sizeBytes: BigInt(device.sizeBytes),
    startBytes: BigInt(device.startBytes),
    mountpoints: [...device.mountpoints],
    children: device.children.map(blockDeviceToWire),
  };
}

/** Converts a block device and everything on it from the wire. */
export function blockDeviceFromWire(device: wire.BlockDevice): BlockDevice {
  return {
    ...device,
    sizeBytes: Number(device.sizeBytes),
    startBytes: Number(device.startBytes),
    children: device.children.map(blockDeviceFromWire),
  };
}
