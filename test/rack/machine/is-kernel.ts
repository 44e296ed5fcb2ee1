/**
 * Whether U-Boot's booti would take the bytes for an arm64 kernel: an Image (Documentation/arch/arm64/booting.rst:
 * "ARM\x64" at 0x38), a gzipped one, or an EFI zboot image ("MZ", "zimg" at 4).
 */
export function isKernel(bytes: Buffer): boolean {
  if (bytes.length < 64) return false;
  return (
    bytes.toString("latin1", 0x38, 0x3c) === "ARM\x64" ||
    bytes.readUInt16BE(0) === 0x1f8b ||
    (bytes.toString("latin1", 0, 2) === "MZ" && bytes.toString("latin1", 4, 8) === "zimg")
  );
}

/** Whether the bytes are a 32-bit kernel that unpacks itself: a zImage (arch/arm/boot/compressed/head.S: at 0x24). */
export function isZImage(bytes: Buffer): boolean {
  return bytes.length >= 0x30 && bytes.readUInt32LE(0x24) === 0x016f2818;
}
