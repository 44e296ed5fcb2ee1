/** The commit that packages are made of. */
export interface SourceCommit {
  /** Full hash. */
  readonly hash: string;
  /** When it was committed, in seconds since the epoch. */
  readonly committedAt: number;
  /** Whether files differ from it. */
  readonly isChanged: boolean;
}

/**
 * The version of Debian packages (deb-version(7)): the release, and the commit by its time, so that it grows with commits also in a
 * shallow clone, and is the same for the same commit. A tree that differs from its commit is newer than that.
 *
 * @param release version of package.json
 */
export function renderPackageVersion(release: string, { hash, committedAt, isChanged }: SourceCommit): string {
  const time = new Date(committedAt * 1000)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, "")
    .replace("T", ".");
  return `${release}+git${time}.${hash.slice(0, 8)}${isChanged ? ".changed" : ""}`;
}
