/** What debugfs(8) `stat` says about an inode. */
export interface InodeDescription {
  /** "regular", "directory", "symlink", or a special file's name. */
  readonly type: string;
  readonly sizeBytes: number;
  /** How many names it has. */
  readonly links: number;
  /** Its number. */
  readonly inode: number;
  /** Target of a symbolic link that is short enough to be in the inode itself. */
  readonly linkTarget?: string;
}

/** Parses `stat PATH`; undefined when the path does not exist. */
export function parseInode(output: string): InodeDescription | undefined {
  const [, inode, type] = /^Inode: (\d+)\s+Type: (\S+)/m.exec(output) ?? [];
  const size = /\bSize: (\d+)$/m.exec(output)?.[1];
  const links = /^Links: (\d+)\b/m.exec(output)?.[1];
  if (type === undefined || size === undefined) return undefined;
  const linkTarget = /^Fast link dest: "(.*)"$/m.exec(output)?.[1];
  const about = { type, sizeBytes: Number(size), links: Number(links ?? 1), inode: Number(inode) };
  return { ...about, ...(linkTarget !== undefined && { linkTarget }) };
}

/** What a folder has. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "link" | "folder" | "other";
}

const kinds: Readonly<Record<string, FolderEntry["kind"]>> = { "10": "file", "12": "link", "04": "folder" };

/**
 * Everything in a folder but itself and the one above, from `ls -p PATH`; undefined when there is a name that no line can
 * hold. Entries of deleted files, with inode 0, are left out.
 */
export function parseFolderEntries(output: string): readonly FolderEntry[] | undefined {
  const entries: FolderEntry[] = [];
  for (const line of output.split("\n")) {
    if (line.trim() === "") continue;
    const [, inode, mode, name] = /^\/(\d+)\/(\d+)\/\d+\/\d+\/([^/]+)\/\d*\/$/.exec(line) ?? [];
    if (inode === undefined || mode === undefined || name === undefined) return undefined;
    if (name === "." || name === ".." || inode === "0") continue;
    entries.push({ name, kind: kinds[mode.padStart(6, "0").slice(0, 2)] ?? "other" });
  }
  return entries;
}

/** Blocks of a file and where they are on the disk. */
export interface BlockRun {
  /** Number of the first in the file, from 0. */
  readonly logical: number;
  /** Number of the first in the filesystem. */
  readonly physical: number;
  readonly count: number;
}

/**
 * Where the content of a file is, from what debugfs(8) `stat` lists under "EXTENTS:" or "BLOCKS:":
 * "(0-11):1024-1035, (IND):1036, (12):1037". What its own books take, "(IND)" and "(ETB0)", is left out.
 */
export function parseBlockRuns(output: string): readonly BlockRun[] {
  const [, list = ""] = output.split(/^(?:EXTENTS|BLOCKS):/m);
  return [...list.matchAll(/\((\d+)(?:-(\d+))?(?:\[u\])?\):(\d+)(?:-(\d+))?/g)].flatMap(([, ...numbers]) => {
    const [first = Number.NaN, last = first, from = Number.NaN, to = from] = numbers.map((text) =>
      text === undefined ? undefined : Number(text),
    );
    const count = last - first + 1;
    return count > 0 && to - from + 1 === count && Number.isSafeInteger(to + last)
      ? [{ logical: first, physical: from, count }]
      : [];
  });
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
