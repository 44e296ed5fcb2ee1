/** The kind of a kernel file. */
export type KernelFormat =
  /** An arm64 Image, plain or gzipped, which U-Boot and the firmware start. */
  | "image"
  /** An EFI zboot image, which neither unpacks. */
  | "zboot"
  /** A compressed 32-bit kernel, which the firmware starts, and a 64-bit U-Boot does not. */
  | "zimage"
  | "other";

/**
 * Identifies an unpacked kernel file by its header: an Image (arch/arm64/boot/Image: "ARM\x64" at byte 56;
 * Documentation/arch/arm64/booting.rst), an EFI zboot image ("zimg" at byte 4; drivers/firmware/efi/libstub), or a
 * 32-bit zImage (0x016f2818 at byte 36; arch/arm/boot/compressed/head.S).
 */
export function detectKernelFormat(bytes: Buffer): KernelFormat {
  if (bytes.toString("latin1", 4, 8) === "zimg") return "zboot";
  if (bytes.toString("latin1", 56, 60) === "ARM\x64") return "image";
  return bytes.length >= 40 && bytes.readUInt32LE(36) === 0x016f2818 ? "zimage" : "other";
}

/**
 * Kernels that an initrd has modules for, by the names in its archive (cpio "newc"), once unpacked; undefined
 * when the bytes are no such archive. One without modules gives an empty list.
 */
export function parseInitrdReleases(bytes: Buffer): readonly string[] | undefined {
  if (!/^07070[12]$/.test(bytes.toString("latin1", 0, 6))) return undefined;
  const releases = new Set<string>();
  for (let at = bytes.indexOf(modules); at !== -1; at = bytes.indexOf(modules, at + 1)) {
    const release = /^lib\/modules\/(\d[\w.+~-]*)[/\0]/.exec(bytes.toString("latin1", at, at + 128))?.[1];
    if (release !== undefined) releases.add(release);
  }
  return [...releases];
}

const modules = "lib/modules/";
