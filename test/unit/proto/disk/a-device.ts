import type { BlockDevice } from "../../../../proto/disk/block-device.ts";

/** A blank SD card, or what is given instead; path and kind follow from the name. */
export function aDevice(name: string, changes: Partial<BlockDevice> = {}): BlockDevice {
  return {
    name,
    path: `/dev/${name}`,
    type: /p\d+$|^sd[a-z]\d+$/.test(name) ? "part" : "disk",
    sizeBytes: 16e9,
    partitionTable: "",
    partitionTableUuid: "",
    partitionUuid: "",
    partitionLabel: "",
    partitionNumber: Number(/(?:p|^sd[a-z])(\d+)$/.exec(name)?.[1] ?? 0),
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
    transport: name.startsWith("mmcblk") ? "mmc" : "",
    logicalSectorBytes: 512,
    children: [],
    ...changes,
  };
}
