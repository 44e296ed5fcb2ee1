const banner = "Linux version ";
/** Bytes of a banner that decide its release, and a little more. */
export const bannerBytes = 128;

/**
 * The release in the banner that every kernel carries ("Linux version 6.1.0-28-arm64 (…"); undefined when it is not
 * found.
 */
export function parseKernelRelease(bytes: Buffer): string | undefined {
  for (let at = bytes.indexOf(banner); at !== -1; at = bytes.indexOf(banner, at + 1)) {
    const release = /^Linux version (\d[\w.+~-]*) /.exec(bytes.toString("latin1", at, at + bannerBytes))?.[1];
    if (release !== undefined) return release;
  }
  return undefined;
}
