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
