/** Reads a number of bytes of a device from an offset; fewer at its end. */
export type ReadAt = (offsetBytes: number, lengthBytes: number) => Promise<Buffer>;

/**
 * PARTUUID of a disk's partition as kernel and libblkid form it: the GUID of its entry in a GPT (UEFI 2.10, 5.3), or
 * the disk id of an MBR, at byte 440, and the number. Empty where the disk id is 0, of which libblkid forms none, and
 * where there is no such entry.
 */
export async function parsePartitionUuid(readDisk: ReadAt, number: number): Promise<string> {
  for (const sectorBytes of [512, 4096]) {
    const header = await readDisk(sectorBytes, 92);
    // A disk may end in the middle of it.
    if (header.length < 92 || header.toString("latin1", 0, 8) !== "EFI PART") continue;
    const [entries, count, entryBytes] = [header.readBigUInt64LE(72), header.readUInt32LE(80), header.readUInt32LE(84)];
    if (number > count || entryBytes < 128 || entryBytes > 4096) return "";
    const at = Number(entries) * sectorBytes + (number - 1) * entryBytes + 16;
    // No disk is so large; a file cannot even be asked for it.
    if (!Number.isSafeInteger(at + 16)) return "";
    const guid = await readDisk(at, 16);
    return guid.length < 16 || guid.every((byte) => byte === 0) ? "" : guidText(guid);
  }
  const id = await readDisk(440, 4);
  if (id.length < 4 || id.readUInt32LE() === 0) return "";
  return `${id.readUInt32LE().toString(16).padStart(8, "0")}-${number.toString(16).padStart(2, "0")}`;
}

/** Where a filesystem has its magic number and its UUID, in bytes from its start. */
const filesystems: readonly { readonly magic: string; readonly at: number; readonly uuidAt: number | undefined }[] = [
  // ext2, ext3, ext4: Documentation/filesystems/ext4/super.rst
  { magic: "\x53\xef", at: 1024 + 0x38, uuidAt: 1024 + 0x68 },
  // fs/xfs/libxfs/xfs_format.h
  { magic: "XFSB", at: 0, uuidAt: 32 },
  // include/uapi/linux/btrfs_tree.h
  { magic: "_BHRfS_M", at: 65_536 + 0x40, uuidAt: 65_536 + 0x20 },
  // include/linux/f2fs_fs.h
  { magic: "\x10\x20\xf5\xf2", at: 1024, uuidAt: 1024 + 108 },
  // fs/erofs/erofs_fs.h
  { magic: "\xe2\xe1\xf5\xe0", at: 1024, uuidAt: 1024 + 48 },
  // fs/squashfs/squashfs_fs.h: it has none.
  { magic: "hsqs", at: 0, uuidAt: undefined },
];

/** UUID of a filesystem, empty when it has none; undefined when it is none of those that are known here. */
export async function parseFilesystemUuid(readPartition: ReadAt): Promise<string | undefined> {
  for (const { magic, at, uuidAt } of filesystems) {
    if ((await readPartition(at, magic.length)).toString("latin1") !== magic) continue;
    if (uuidAt === undefined) return "";
    const uuid = await readPartition(uuidAt, 16);
    return uuid.length < 16 || uuid.every((byte) => byte === 0) ? "" : uuidText(uuid);
  }
  return undefined;
}

function uuidText(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The first three fields of a GUID are numbers in little-endian order (UEFI 2.10, appendix A). */
function guidText(bytes: Buffer): string {
  const fields = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)];
  return uuidText(Buffer.concat([...fields.map((field) => Buffer.from(field).reverse()), bytes.subarray(8)]));
}
