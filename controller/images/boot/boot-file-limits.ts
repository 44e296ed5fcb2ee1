const MiB = 1024 * 1024;

/** Larger files of an image are refused. */
export const maximumBytes = { text: 64 * 1024, kernel: 256 * MiB, initrd: 512 * MiB, deviceTree: 4 * MiB } as const;
