import type { BlockDevice } from "../../../proto/gen/pallet/v1/disk.ts";
import { toNumber, toText } from "./wire-values.ts";

/** A block device as `--json` shows it. */
export interface DiskView {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly partitionTable: string | null;
  readonly partitionTableUuid: string | null;
  readonly partitionUuid: string | null;
  readonly partitionNumber: number | null;
  readonly startBytes: number | null;
  readonly filesystemType: string | null;
  readonly label: string | null;
  readonly uuid: string | null;
  readonly mountpoints: readonly string[];
  readonly readOnly: boolean;
  readonly removable: boolean;
  readonly model: string | null;
  readonly serial: string | null;
  readonly cid: string | null;
  readonly transport: string | null;
  readonly logicalSectorBytes: number;
  readonly children: readonly DiskView[];
}

/** Converts from the wire. */
export function viewDisk(device: BlockDevice): DiskView {
  const isPartition = device.partitionNumber > 0;
  return {
    name: device.name,
    path: device.path,
    type: device.type,
    sizeBytes: toNumber(device.sizeBytes),
    partitionTable: toText(device.partitionTable),
    partitionTableUuid: toText(device.partitionTableUuid),
    partitionUuid: toText(device.partitionUuid),
    partitionNumber: isPartition ? device.partitionNumber : null,
    startBytes: isPartition ? toNumber(device.startBytes) : null,
    filesystemType: toText(device.filesystemType),
    label: toText(device.label),
    uuid: toText(device.uuid),
    mountpoints: device.mountpoints,
    readOnly: device.readOnly,
    removable: device.removable,
    model: toText(device.model),
    serial: toText(device.serial),
    cid: toText(device.cid),
    transport: toText(device.transport),
    logicalSectorBytes: device.logicalSectorBytes,
    children: device.children.map(viewDisk),
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
