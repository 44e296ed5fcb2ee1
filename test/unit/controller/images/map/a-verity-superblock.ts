/** A superblock of dm-verity as veritysetup(8) writes it, for this much data in blocks of 4 KiB. */
export function aVeritySuperblock(dataBytes: number): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write("verity\0\0", 0, "latin1");
  bytes.writeUInt32LE(1, 8);
  bytes.writeUInt32LE(1, 12);
  bytes.write("sha256", 32, "latin1");
  bytes.writeUInt32LE(4096, 64);
  bytes.writeUInt32LE(4096, 68);
  bytes.writeBigUInt64LE(BigInt(dataBytes / 4096), 72);
  return bytes;
}
