// The structures of <linux/loop.h>, on 64-bit machines with the low byte first.

/** A loop device's backing file, in the numbers of stat(2). */
export interface Backing {
  /** Filesystem of the file. */
  readonly device: bigint;
  readonly inode: bigint;
  /** The block device that the file is; 0 when it is none. */
  readonly blockDevice: bigint;
}

/** LO_FLAGS_*. */
export const loopFlags = { readOnly: 1, autoclear: 4, partitionScan: 8, directIo: 16 } as const;

/** Length of struct loop_info64. */
export const statusBytes = 232;

/** Where struct loop_info64 begins in struct loop_config, and how long that is. */
const infoOffset = 8;
const configBytes = 304;

/** Makes a struct loop_config, for LOOP_CONFIGURE. */
export function renderLoopConfig(config: {
  readonly fd: number;
  readonly flags: number;
  readonly file: string;
  readonly offsetBytes?: number;
  readonly lengthBytes?: number;
  readonly sectorBytes?: number;
}): Uint8Array {
  const bytes = Buffer.alloc(configBytes);
  bytes.writeUInt32LE(config.fd, 0);
  bytes.writeUInt32LE(config.sectorBytes ?? 0, 4);
  bytes.writeBigUInt64LE(BigInt(config.offsetBytes ?? 0), infoOffset + 24);
  bytes.writeBigUInt64LE(BigInt(config.lengthBytes ?? 0), infoOffset + 32);
  bytes.writeUInt32LE(config.flags, infoOffset + 52);
  // What losetup(8) shows without sysfs: as much of the path as fits, NUL-terminated.
  bytes.write(config.file, infoOffset + 56, 63);
  return bytes;
}

/** Reads a struct loop_info64, of LOOP_GET_STATUS64. */
export function parseLoopStatus(status: Uint8Array): Backing {
  const bytes = Buffer.from(status.buffer, status.byteOffset, status.byteLength);
  return {
    device: bytes.readBigUInt64LE(0),
    inode: bytes.readBigUInt64LE(8),
    blockDevice: bytes.readBigUInt64LE(16),
  };
}
