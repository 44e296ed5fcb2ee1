/** A mount as proc_pid_mountinfo(5) lists it. */
export interface Mount {
  /** "major:minor" of the filesystem; major 0 for those without a block device of their own (NFS, overlay, btrfs). */
  readonly deviceNumber: string;
  /** Where it is mounted, relative to the process's root. */
  readonly mountpoint: string;
  readonly filesystemType: string;
  readonly source: string;
}

/**
 * Parses /proc/PID/mountinfo. Between the sixth field and a lone "-" stand any number of optional fields; white space
 * and backslashes in paths are octal escapes. Lines of another shape are left out.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    const [deviceNumber, mountpoint, filesystemType, source] = [
      fields[2],
      fields[4],
      fields[dash + 1],
      fields[dash + 2],
    ];
    if (dash < 0 || !deviceNumber || !mountpoint || !filesystemType || source === undefined) return [];
    return { deviceNumber, mountpoint: withoutEscapes(mountpoint), filesystemType, source: withoutEscapes(source) };
  });
}

/** The mount that is visible at "/": the last one there covers the others. */
export function rootMount(mounts: readonly Mount[]): Mount | undefined {
  return mounts.findLast((mount) => mount.mountpoint === "/");
}

function withoutEscapes(path: string): string {
  if (!path.includes("\\")) return path;
  const bytes = Buffer.from(path).toString("latin1");
  const plain = bytes.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(plain, "latin1").toString("utf8");
}
