import { limits } from "../limits.ts";

/** Longest blinking of pallet.v1.Identify, in milliseconds. */
export const maxIdentifyMs = limits.operations.identifyMs.most;

/** Most partitions, and most files, of pallet.v1.DiskFirmware. */
export const maxFirmwareItems = limits.operations.firmwareItems.most;

/** Linux takes up to 256 minors of a disk. */
export const maxPartitions = limits.operations.partitions.most;
