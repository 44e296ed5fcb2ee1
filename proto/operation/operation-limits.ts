/** Longest blinking of pallet.v1.Identify, in milliseconds. */
export const maxIdentifyMs = 600_000;

/** Most partitions, and most files, of pallet.v1.DiskFirmware. */
export const maxFirmwareItems = 16;

/** Linux takes up to 256 minors of a disk. */
export const maxPartitions = 256;
