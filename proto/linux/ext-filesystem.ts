/** Whether blkid(8) calls a filesystem one of those that ext4's driver and e2fsprogs know: ext2, ext3 or ext4. */
export function isExt(filesystemType: string): boolean {
  return /^ext[234]$/.test(filesystemType);
}
