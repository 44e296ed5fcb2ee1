/**
 * Bytes free in an ext2, ext3 or ext4 filesystem, as statfs(2) would tell once it is mounted, from the header that
 * dumpe2fs(8) prints. Undefined when the superblock's count need not be true, because it was not unmounted cleanly.
 */
export function parseFreeBytes(header: string): number | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(header)?.[1]?.trim();
  const isClean =
    field("Filesystem state") === "clean" && !/\bneeds_recovery\b/.test(field("Filesystem features") ?? "");
  const bytes = Number(field("Free blocks") ?? Number.NaN) * Number(field("Block size") ?? Number.NaN);
  return isClean && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}
