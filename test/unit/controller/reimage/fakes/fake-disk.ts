import type { BlockDevice } from "../../../../../controller/reimage/block-device.ts";

/** A blank SD card, or what `fields` make of it. */
export function disk(fields: Partial<BlockDevice> = {}): BlockDevice {
  const path = fields.path ?? "/dev/mmcblk0";
  return {
    name: path.replace("/dev/", ""),
    path,
    type: "disk",
    sizeBytes: 32 * 2 ** 30,
    partitionTable: "",
    partitionTableUuid: "",
    partitionUuid: "",
    partitionNumber: 0,
    startBytes: 0,
    filesystemType: "",
    label: "",
    uuid: "",
    mountpoints: [],
    readOnly: false,
    removable: false,
    model: "",
    serial: "",
    cid: "",
    transport: path.startsWith("/dev/mmcblk") ? "mmc" : "usb",
    logicalSectorBytes: 512,
    children: [],
    ...fields,
  };
}
