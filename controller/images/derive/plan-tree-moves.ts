import type { TreeEntry } from "./parse-tree-listing.ts";

/** What is done to the old tree before rsync(1) makes it the new one. Paths are relative to its top. */
export interface TreeMoves {
  /** Names to remove: they share a file with other names, and in the new tree they do not. */
  readonly unlink: readonly string[];
  /** Folders to make, parents first. */
  readonly makeFolders: readonly string[];
  /** Files to rename, from and to: their blocks then serve the new name. */
  readonly rename: readonly (readonly [string, string])[];
}

/** A file of a block or less is not worth keeping in place. */
const minimumBytes = 4096;

/**
 * Plans what rsync(1) cannot know. Written in place, a file changes under all of its names, so those that part company
 * are separated first. And a file that only moved, as whole folders do whose name holds a version (a kernel's modules),
 * is renamed rather than deleted and rewritten elsewhere. What is renamed wrongly costs nothing but the gain: rsync
 * compares and corrects everything afterwards.
 *
 * No path that is touched leads through a symbolic link: all folders on the way are folders in the old tree, or made.
 */
export function planTreeMoves(old: readonly TreeEntry[], next: readonly TreeEntry[]): TreeMoves {
  const oldByPath = new Map(old.map((entry) => [entry.path, entry]));
  const nextByPath = new Map(next.map((entry) => [entry.path, entry]));
  const isMovable = ({ type, links, sizeBytes }: TreeEntry) => type === "f" && links === 1 && sizeBytes > minimumBytes;
  const vanished = old.filter((entry) => isMovable(entry) && !nextByPath.has(entry.path));
  const added = next.filter((entry) => isMovable(entry) && !oldByPath.has(entry.path));

  const folders = new Set<string>();
  const rename: [string, string][] = [];
  for (const [from, to] of pairUp(vanished, added)) {
    const missing = foldersToMake(to, oldByPath);
    if (missing === undefined) continue;
    for (const folder of missing) folders.add(folder);
    rename.push([from, to]);
  }
  // A parent is shorter than what is in it, and sorts before it.
  return { unlink: separated(old, nextByPath), makeFolders: [...folders].toSorted(), rename };
}

/** Names that share a file in the old tree with others from which the new tree has them apart. */
function separated(old: readonly TreeEntry[], next: ReadonlyMap<string, TreeEntry>): string[] {
  const shared = Map.groupBy(
    old.filter(({ type, links }) => type !== "d" && links > 1),
    ({ inode }) => inode,
  );
  return [...shared.values()].flatMap((names) => {
    const staying = names.filter(({ path }) => next.has(path));
    const parties = [...Map.groupBy(staying, ({ path }) => next.get(path)?.inode).values()];
    const [, ...others] = parties.toSorted((a, b) => b.length - a.length);
    return others.flat().map(({ path }) => path);
  });
}

/** Pairs of vanished and added files that are probably the same one: first by path, then by name and size. */
function pairUp(vanished: readonly TreeEntry[], added: readonly TreeEntry[]): [string, string][] {
  const pairs: [string, string][] = [];
  let [left, wanted] = [vanished, added];
  for (const keyOf of [pathWithoutNumbers, nameAndSize]) {
    const sources = Map.groupBy(left, keyOf);
    const taken = new Set<TreeEntry>();
    wanted = wanted.filter((target) => {
      const candidates = sources.get(keyOf(target));
      const same = candidates?.findIndex(({ sizeBytes }) => sizeBytes === target.sizeBytes) ?? -1;
      const [source] = candidates?.splice(Math.max(0, same), 1) ?? [];
      if (source === undefined) return true;
      taken.add(source);
      pairs.push([source.path, target.path]);
      return false;
    });
    left = left.filter((entry) => !taken.has(entry));
  }
  return pairs;
}

function pathWithoutNumbers({ path }: TreeEntry): string {
  return path.replaceAll(/\d+/g, "#");
}

function nameAndSize({ path, sizeBytes }: TreeEntry): string {
  return `${sizeBytes} ${path.slice(path.lastIndexOf("/") + 1)}`;
}

/**
 * Folders on the way to a path that the old tree lacks; undefined where something that is not a folder is in the way.
 */
function foldersToMake(path: string, old: ReadonlyMap<string, TreeEntry>): string[] | undefined {
  const missing: string[] = [];
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const folder = path.slice(0, slash);
    const present = old.get(folder);
    if (present === undefined) missing.push(folder);
    else if (present.type !== "d") return undefined;
  }
  return missing;
}
