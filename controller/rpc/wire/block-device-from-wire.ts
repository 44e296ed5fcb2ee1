import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import type * as wire from "../../../proto/gen/pallet/v1/disk.ts";

/** A block device with its children, as an agent reports it. */
export function blockDeviceFromWire(device: wire.BlockDevice): BlockDevice {
  return {
    ...device,
    sizeBytes: Number(device.sizeBytes),
    startBytes: Number(device.startBytes),
    children: device.children.map(blockDeviceFromWire),
  };
}
