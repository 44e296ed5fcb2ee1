/** A file of any kind in a tree, as find(1) saw it without following symbolic links. */
export interface TreeEntry {
  /** Relative to the top; bytes as Latin-1 characters, because names need not be text. */
  readonly path: string;
  /** find(1)'s letter: "f" a regular file, "d" a folder, "l" a symbolic link, … */
  readonly type: string;
  readonly inode: string;
  /** Number of its names. */
  readonly links: number;
  readonly sizeBytes: number;
}

/** For `find -printf`: type, inode, links, size and path of an entry, ended by NUL, which no name holds. */
export const listingFormat = String.raw`%y %i %n %s %P\0`;

/** Parses what `find -printf listingFormat` prints, as Latin-1. The top itself is left out. */
export function parseTreeListing(output: string): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const line of output.split("\0")) {
    const match = /^(\S) (\d+) (\d+) (\d+) (.+)$/s.exec(line);
    if (match === null) continue;
    const [, type = "", inode = "", links = "", size = "", path = ""] = match;
    entries.push({ path, type, inode, links: Number(links), sizeBytes: Number(size) });
  }
  return entries;
}
