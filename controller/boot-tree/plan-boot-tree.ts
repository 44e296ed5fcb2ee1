/** What the last build wrote. */
export interface BootTreeManifest {
  readonly versions: {
    readonly uBoot: string;
    readonly firmware: string;
    /** Release of the agent's kernel; absent when the tree has none. */
    readonly kernel?: string;
  };
  /** Names of U-Boot's builds; an older Pallet built others. */
  readonly targets: readonly string[];
  /** SHA-256 in hexadecimal and size of each file by its path in the tree. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly sizeBytes: number }>>;
}

/** What happens to each path. */
export interface TreePlan {
  readonly write: readonly string[];
  /** They are already up to date. */
  readonly unchanged: readonly string[];
  /** Someone else wrote or changed them: they stay as they are. */
  readonly foreign: readonly string[];
  /** An earlier build wrote them; this one does not need them. */
  readonly remove: readonly string[];
}

/**
 * Decides what a build does to a tree that may be served at this moment and that people may have put their own files
 * in: only what an earlier build wrote is replaced or removed, unless `overwrite` is set.
 *
 * @param wanted SHA-256 of each file that the tree should have, by path
 * @param found SHA-256 of what is there now, by path; of the wanted paths and those of the earlier manifest
 * @param earlier what the last build wrote
 */
export function planBootTree(
  wanted: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
  earlier: ReadonlyMap<string, string>,
  { overwrite }: { readonly overwrite: boolean },
): TreePlan {
  const write: string[] = [];
  const unchanged: string[] = [];
  const foreign: string[] = [];
  for (const [path, digest] of wanted) {
    const present = found.get(path);
    if (present === digest) unchanged.push(path);
    else if (present === undefined || present === earlier.get(path) || overwrite) write.push(path);
    else foreign.push(path);
  }
  const remove = [...earlier]
    .filter(([path, digest]) => !wanted.has(path) && found.get(path) === digest)
    .map(([path]) => path);
  return { write, unchanged, foreign, remove };
}
