/** An entry of a cache. */
export interface CacheUse {
  readonly name: string;
  /** When it was last asked for, in milliseconds since 1970. */
  readonly usedAtMs: number;
}

const dayMs = 86_400_000;

/** Going back and forth between a few states is common, however old they are. */
const alwaysKept = 3;
/** Other checkouts and versions use theirs from one day to the next. */
const keptForMs = 3 * dayMs;
const atMost = 12;

/**
 * What a cache's entries are a family of: all of the name but its last part, the key of their content, so that
 * "u-boot-rpi_arm64-4f21" is one of "u-boot-rpi_arm64".
 */
export function familyOf(name: string): string {
  return name.replace(/-[^-]*$/, "");
}

/** Which entries of one family may be removed, least recently used first. */
export function chooseForgotten(entries: readonly CacheUse[], nowMs: number): readonly string[] {
  const newestFirst = entries.toSorted((a, b) => b.usedAtMs - a.usedAtMs);
  return newestFirst
    .filter(({ usedAtMs }, index) => index >= alwaysKept && (index >= atMost || nowMs - usedAtMs > keptForMs))
    .map(({ name }) => name)
    .toReversed();
}
