import type { BlockDevice } from "../../../../../proto/disk/block-device.ts";
import { aDevice } from "../../../proto/disk/a-device.ts";

/** A blank SD card, or what `fields` make of it. */
export function disk(fields: Partial<BlockDevice> = {}): BlockDevice {
  const path = fields.path ?? "/dev/mmcblk0";
  return aDevice(path.replace("/dev/", ""), {
    path,
    type: "disk",
    sizeBytes: 32 * 2 ** 30,
    partitionNumber: 0,
    transport: path.startsWith("/dev/mmcblk") ? "mmc" : "usb",
    ...fields,
  });
}
