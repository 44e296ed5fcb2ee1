import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import type * as wire from "../../../proto/gen/pallet/v1/disk.ts";

/** A block device with its children as it travels. */
export function blockDeviceToWire(device: BlockDevice): wire.BlockDevice {
  return {
    ...device,
    sizeBytes: BigInt(device.sizeBytes),
    startBytes: BigInt(device.startBytes),
    mountpoints: [...device.mountpoints],
    children: device.children.map(blockDeviceToWire),
  };
}
