/** What a file that is called a kernel is. */
export type KernelFormat = "gzip" | "image" | "other";

/** How many bytes of a file tell its format. */
export const kernelHeadBytes = 64;

/**
 * Tells whether U-Boot's booti takes a kernel: a plain arm64 Image (Documentation/arch/arm64/booting.rst: "ARM\x64" at
 * 56), or one compressed by gzip. EFI's zboot images and 32-bit zImages are others.
 */
export function parseKernelFormat(head: Uint8Array): KernelFormat {
  const text = Buffer.from(head).toString("latin1");
  if (text.startsWith("\x1f\x8b")) return "gzip";
  return text.slice(56, 60) === "ARM\x64" ? "image" : "other";
}

/** The release in an uncompressed kernel, as uname(1) shows it; undefined when it says none (init/version.c). */
export function parseKernelRelease(image: Uint8Array): string | undefined {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const banner = "Linux version ";
  for (let at = bytes.indexOf(banner); at >= 0; at = bytes.indexOf(banner, at + 1)) {
    const release = /^(\d[\w.+~-]*) /.exec(bytes.toString("latin1", at + banner.length, at + banner.length + 256))?.[1];
    if (release !== undefined) return release;
  }
  return undefined;
}
