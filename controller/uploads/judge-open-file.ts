/** What the kernel says of an open file. */
export interface OpenFile {
  /** /proc/PID/fdinfo/N, proc(5). */
  readonly fdinfo: string;
  /** /proc/PID/mountinfo of who is to read it. */
  readonly mountinfo: string;
}

/** O_ACCMODE, O_WRONLY and O_PATH of fcntl(2), on x64 and arm64. */
const accessMode = 0o3;
const writeOnly = 0o1;
const pathOnly = 0o10000000;

/**
 * Filesystems that answer a read by this machine's own disk or memory. A server on the network, or a program (FUSE), may
 * never answer, and would keep whoever reads.
 */
const steadyFilesystems = new Set(
  "bcachefs btrfs exfat ext2 ext3 ext4 f2fs jfs overlay ramfs squashfs tmpfs vfat xfs zfs".split(" "),
);

/**
 * Why the controller cannot read a file that somebody has opened and handed to it; undefined when it can. Whoever opened
 * it for reading may read it, whatever its path lets others do; a descriptor by O_PATH proves nothing.
 */
export function judgeOpenFile({ fdinfo, mountinfo }: OpenFile): string | undefined {
  const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(fdinfo)?.[1] ?? "", 8);
  if (Number.isNaN(flags)) return "the kernel does not say how it was opened";
  if ((flags & pathOnly) !== 0 || (flags & accessMode) === writeOnly) return "it was not opened for reading";
  const mount = /^mnt_id:\s*(\d+)$/m.exec(fdinfo)?.[1];
  const line = mountinfo.split("\n").find((each) => each.split(" ", 1)[0] === mount);
  const type = line === undefined ? undefined : / - (\S+) /.exec(line)?.[1];
  if (type === undefined) return "its filesystem is not mounted where the controller runs";
  return steadyFilesystems.has(type) ? undefined : `its filesystem is ${type}, which may keep a reader waiting`;
}
