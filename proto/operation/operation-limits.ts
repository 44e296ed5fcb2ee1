/** Longest blinking of pallet.v1.Identify, in milliseconds. */
export const MAX_IDENTIFY_MS = 600_000;

/** Most partitions, and most files, of pallet.v1.DiskFirmware. */
export const MAX_FIRMWARE_ITEMS = 16;
