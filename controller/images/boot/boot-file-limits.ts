const MiB = 1024 * 1024;

/**
 * Larger files of an image are refused. `firmware` is for all that is kept of its firmware partition together; Raspberry
 * Pi OS has 80 MiB there.
 */
export const maximumBytes = {
  text: 64 * 1024,
  kernel: 256 * MiB,
  initrd: 512 * MiB,
  deviceTree: 4 * MiB,
  firmwareFile: 512 * MiB,
  firmware: 2048 * MiB,
} as const;
