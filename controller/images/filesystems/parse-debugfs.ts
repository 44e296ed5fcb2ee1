/** What debugfs(8) `stat` says about an inode. */
export interface InodeDescription {
  /** "regular", "directory", "symlink", or a special file's name. */
  readonly type: string;
  readonly sizeBytes: number;
  /** Target of a symbolic link that is short enough to be in the inode itself. */
  readonly linkTarget?: string;
}

/** Parses `stat PATH`; undefined when the path does not exist. */
export function parseInode(output: string): InodeDescription | undefined {
  const type = /^Inode: \d+\s+Type: (\S+)/m.exec(output)?.[1];
  const size = /\bSize: (\d+)$/m.exec(output)?.[1];
  if (type === undefined || size === undefined) return undefined;
  const linkTarget = /^Fast link dest: "(.*)"$/m.exec(output)?.[1];
  return { type, sizeBytes: Number(size), ...(linkTarget !== undefined && { linkTarget }) };
}

/** Names of the regular files and symbolic links of a folder, from `ls -p PATH` ("/inode/mode/uid/gid/name/size/"). */
export function parseFolder(output: string): readonly string[] {
  return output
    .split("\n")
    .map((line) => /^\/\d+\/(\d+)\/\d+\/\d+\/([^/]+)\/\d*\/$/.exec(line))
    .filter((match) => match?.[1]?.startsWith("10") || match?.[1]?.startsWith("12"))
    .map((match) => match?.[2] ?? "");
}

/**
 * Errors in what debugfs printed to its standard error: it exits with 0 whatever happens. Its banner is not an error.
 */
export function parseErrors(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^debugfs \d/.test(line))
    .join("; ");
}
