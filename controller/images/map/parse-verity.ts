/** The superblock of a dm-verity hash tree, which stands before the tree. */
export interface VeritySuperblock {
  /** Where it is in the image. */
  readonly offsetBytes: number;
  /** How many bytes the tree covers, from the start of its data device; absent if the superblock makes no sense. */
  readonly dataBytes?: number;
}

/** What it starts with (cryptsetup, lib/verity/verity.c, struct verity_sb). */
export const verityMagic: Buffer = Buffer.from("verity\0\0", "latin1");

/** Bytes of a superblock; veritysetup(8) places it at a multiple of that. */
export const veritySuperblockBytes = 512;

/**
 * Whether these bytes can be a superblock: they start with the magic, and are of the one version that there is, with a hash
 * type that there is (0 and 1). The magic alone is also the end of a string, "root-arm-verity", in systemd's libraries.
 */
export function isVeritySuperblock(bytes: Buffer): boolean {
  if (bytes.length < 16 || !bytes.subarray(0, verityMagic.length).equals(verityMagic)) return false;
  return bytes.readUInt32LE(8) === 1 && bytes.readUInt32LE(12) <= 1;
}

/** Reads a superblock that starts with the magic. */
export function parseVeritySuperblock(bytes: Buffer, offsetBytes: number): VeritySuperblock {
  if (bytes.length < veritySuperblockBytes || bytes.readUInt32LE(8) !== 1) return { offsetBytes };
  const blockBytes = bytes.readUInt32LE(64);
  const dataBytes = bytes.readBigUInt64LE(72) * BigInt(blockBytes);
  const isSane = blockBytes >= 512 && Number.isInteger(Math.log2(blockBytes));
  if (!isSane || dataBytes === 0n || dataBytes > BigInt(Number.MAX_SAFE_INTEGER)) return { offsetBytes };
  return { offsetBytes, dataBytes: Number(dataBytes) };
}
